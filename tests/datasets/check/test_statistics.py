import json

import numpy as np
import pytest
from sets_to_spoil import SpoiltSet, drawn_content

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.check import Uses, annotated_set
from mmdet_lite.datasets.check.statistics import funnel_of, statistics_of


def odd_content():
    """Annotations of every sort that a data set leaves out, and images of every sort."""
    content = drawn_content(10)
    content["images"][8]["height"] = 20
    anns = content["annotations"]
    anns[0]["category_id"] = 3
    anns[1]["bbox"] = [5, 5, 0.5, 9]
    anns[2]["bbox"] = [-90, 5, 20, 20]
    anns[3]["area"] = 0
    anns[4]["ignore"] = 1
    anns[5]["bbox"][0] = float("inf")
    anns[6]["iscrowd"] = 1
    for ann in anns[9:12]:
        ann["bbox"] = [0, 0, 0, 0]
    content["annotations"] = [ann for ann in anns if ann["image_id"] not in (5, 6)]
    content["categories"].append({"id": 3, "name": "bird"})
    return content


@pytest.mark.parametrize("test_mode", [False, True])
@pytest.mark.parametrize(
    "filter_cfg", [{}, {"filter_empty_gt": True}, {"filter_empty_gt": True, "min_size": 32}]
)
def test_funnel_is_what_the_data_set_leaves_out(tmp_path, filter_cfg, test_mode):
    content = odd_content()
    (tmp_path / "a.json").write_text(json.dumps(content))
    uses = Uses(classes=("cat", "dog"), filter_cfg=filter_cfg, test_mode=test_mode)
    steps = funnel_of(annotated_set("train", "a.json", "", content, uses))
    dataset = CocoDataset(
        str(tmp_path / "a.json"),
        metainfo={"classes": ("cat", "dog")},
        filter_cfg=filter_cfg,
        test_mode=test_mode,
    )
    said = {step.reason: step.dropped for step in steps if step.unit == "annotations"}
    crowds = said.pop("ignored, as crowds: neither object nor background")
    assert said.pop("in the file") == 0
    assert said == dataset.dropped
    images = [step for step in steps if step.unit == "images"]
    assert images[-1].left == len(dataset)
    everything = CocoDataset(
        str(tmp_path / "a.json"), metainfo={"classes": ("cat", "dog")}, test_mode=True
    )
    entries = [everything.get_data_info(i) for i in range(len(everything))]
    flags = [one["ignore_flag"] for entry in entries for one in entry["instances"]]
    assert crowds == sum(flags)
    last = [step for step in steps if step.unit == "annotations"][-1]
    assert last.left == len(flags) - sum(flags)


def test_counts_by_class_size_and_image():
    content = drawn_content(3)
    content["annotations"][0]["iscrowd"] = 1
    content["annotations"][1]["bbox"] = [0, 0, 10, 10]
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] != 3]
    found = statistics_of(annotated_set("train", "a.json", "", content))
    assert (found.num_images, found.num_empty_images) == (3, 1)
    assert (found.num_annotations, found.num_crowds) == (6, 1)
    assert found.instances_per_class == {"cat": 2, "dog": 3}
    assert found.images_per_class == {"cat": 2, "dog": 2}
    areas = [w * h for _, _, w, h in (a["bbox"] for a in content["annotations"][1:])]
    assert found.sizes == {
        "small": sum(a < 1024 for a in areas),
        "medium": sum(1024 <= a < 9216 for a in areas),
        "large": sum(a >= 9216 for a in areas),
    }
    by_class = found.sizes_per_class.values()
    assert sum(sizes["small"] for sizes in by_class) == found.sizes["small"]
    assert found.image_sizes == ((200, 150, 3),)


def test_histograms_count_every_instance_and_image_once():
    found = statistics_of(annotated_set("train", "a.json", "", drawn_content(7)))
    for name, histogram in found.histograms.items():
        expected = 21 if name in ("box_side", "box_share", "aspect") else 7
        assert sum(histogram.counts) == expected, name
        assert len(histogram.edges) == len(histogram.counts) + 1
        assert np.all(np.diff(histogram.edges) > 0)
    assert found.histograms["instances_per_image"].counts == (0, 0, 0, 7)


@pytest.mark.parametrize("content", [{"images": [], "categories": []}, drawn_content(0)])
def test_empty_sets_have_empty_statistics(content):
    found = statistics_of(annotated_set("train", "a.json", "", content))
    assert found.num_images == found.num_annotations == 0
    assert all(sum(h.counts) == 0 for h in found.histograms.values())
    assert all(step.left == 0 for step in funnel_of(annotated_set("t", "a", "", content)))


def test_set_of_the_tests_has_the_funnel_of_a_good_set(tmp_path):
    data = SpoiltSet(drawn_content(4), tmp_path)
    steps = funnel_of(annotated_set("train", "a", "", data.content, data.uses()))
    assert [(s.unit, s.dropped, s.left) for s in steps] == [
        ("annotations", 0, 12),
        ("images", 0, 4),  # in the file
        ("images", 0, 4),  # large enough
        ("images", 0, 4),  # with an instance
    ]
