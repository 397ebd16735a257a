import numpy as np
import pytest

from mmdet_lite.datasets.transforms import TestTimeAug

FLIPS = [{"type": "RandomFlip", "prob": 1.0}, {"type": "RandomFlip", "prob": 0.0}]
PACK = {"type": "PackDetInputs"}


def results():
    img = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    return {"img": img, "img_shape": (4, 6), "ori_shape": (4, 6), "img_path": "a.jpg"}


def test_every_combination_is_one_view():
    resizes = [{"type": "Resize", "scale": s, "keep_ratio": True} for s in [(6, 4), (12, 8)]]
    given = results()
    views = TestTimeAug([resizes, FLIPS, [PACK]])(given)
    assert [tuple(x.shape) for x in views["inputs"]] == [(3, 4, 6)] * 2 + [(3, 8, 12)] * 2
    assert [s.flip for s in views["data_samples"]] == [True, False, True, False]
    assert views["inputs"][0].flip(2).equal(views["inputs"][1])
    assert (given["img"] == results()["img"]).all() and given.keys() == results().keys()


def test_configs_stay_as_they_were():
    lists = [list(FLIPS), [PACK]]
    TestTimeAug(lists)
    assert lists == [FLIPS, [PACK]]


def test_a_flip_that_the_samples_would_not_know_of_is_refused():
    pack = {**PACK, "meta_keys": ("img_id", "ori_shape")}
    TestTimeAug([[{"type": "Resize", "scale": (6, 4)}], [pack]])
    broadcast = {"type": "ProposalBroadcaster", "transforms": FLIPS}
    for flips in (FLIPS, [broadcast]):
        with pytest.raises(ValueError, match=r"meta_keys of PackDetInputs lack"):
            TestTimeAug([flips, [pack]])


def test_nothing_to_combine_is_refused():
    for lists in ([], [[], [PACK]]):
        with pytest.raises(ValueError, match="lists that are not empty"):
            TestTimeAug(lists)


def test_a_dropped_view_names_its_image():
    with pytest.raises(ValueError, match=r"a view of a\.jpg was dropped"):
        TestTimeAug([[lambda _: None]])(results())
