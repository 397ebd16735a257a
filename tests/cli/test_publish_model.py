import hashlib
from collections import OrderedDict

import pytest
import torch

from mmdet_lite.checkpoint import load_checkpoint_file, save_checkpoint
from mmdet_lite.cli.publish_model import main


@pytest.fixture
def trained(tmp_path):
    """A checkpoint as a training writes it, with averaged weights of both kinds."""
    weights = OrderedDict(
        {
            "backbone.w": torch.arange(3.0),
            "head.n": torch.tensor(2),
            "ema_backbone_w": torch.ones(3),
        }
    )
    content = {
        "meta": {
            "dataset_meta": {"classes": ["a", "b"], "palette": [(1, 2, 3), (4, 5, 6)]},
            "cfg": "model = dict(type='MaskRCNN')",
            "epoch": 12,
            "random_states": [{"torch": torch.zeros(5000)}],
        },
        "state_dict": weights,
        "ema_state_dict": {"backbone.w": torch.zeros(3)},
        "optimizer": {"state": {0: torch.zeros(3000)}},
        "param_schedulers": [{}],
        "message_hub": {"log_scalars": {}},
    }
    save_checkpoint(content, tmp_path / "epoch_12.pth")
    return tmp_path / "epoch_12.pth"


def test_published_file_has_weights_and_meta_and_its_hash_in_the_name(trained, tmp_path, capsys):
    before = trained.read_bytes()
    assert main([str(trained), str(tmp_path / "out" / "mask-rcnn.pth")]) == 0
    (published,) = (tmp_path / "out").iterdir()
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    assert published.name == f"mask-rcnn-{digest[:8]}.pth"
    content = torch.load(published)
    assert set(content) == {"meta", "state_dict"}
    assert set(content["meta"]) == {"dataset_meta", "cfg", "epoch"}
    assert content["meta"]["dataset_meta"]["classes"] == ["a", "b"]
    assert list(content["state_dict"]) == ["backbone.w", "head.n"]
    assert content["state_dict"]["backbone.w"].tolist() == [0, 1, 2]
    assert trained.read_bytes() == before
    err = capsys.readouterr().err
    assert "left out: ema_state_dict, message_hub, optimizer, param_schedulers" in err
    assert "1 ema_* tensors" in err and f"published: {published}" in err
    assert published.stat().st_size < trained.stat().st_size / 5


def test_publishing_again_gives_the_same_file(trained, tmp_path):
    main([str(trained), str(tmp_path / "a" / "m.pth")])
    (first,) = (tmp_path / "a").iterdir()
    assert main([str(first), str(first)]) == 0
    assert list((tmp_path / "a").iterdir()) == [first]
    assert main([str(trained), str(tmp_path / "b" / "other")]) == 0
    (other,) = (tmp_path / "b").iterdir()
    assert other.read_bytes() == first.read_bytes()


def test_published_file_is_verified_by_its_name(trained, tmp_path):
    main([str(trained), str(tmp_path / "m.pth")])
    (published,) = tmp_path.glob("m-*.pth")
    assert load_checkpoint_file(str(published))["meta"]["epoch"] == 12


def test_save_keys_keep_more(trained, tmp_path):
    arguments = ["--save-keys", "meta", "state_dict", "message_hub"]
    assert main([str(trained), str(tmp_path / "m.pth"), *arguments]) == 0
    (published,) = tmp_path.glob("m-*.pth")
    assert set(torch.load(published)) == {"meta", "state_dict", "message_hub"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state_dict": {"w": torch.tensor([1.0, float("nan")])}}, "1 tensors hold nan or inf.*w"),
        ({"state_dict": None}, "has no state_dict"),
        ({"state_dict": {}}, "its state_dict holds no tensors"),
    ],
)
def test_files_not_fit_to_be_given_away_are_refused(tmp_path, capsys, change, message):
    import re

    content = {"meta": {}, "optimizer": {}} | {k: v for k, v in change.items() if v is not None}
    save_checkpoint(content, tmp_path / "in.pth")
    assert main([str(tmp_path / "in.pth"), str(tmp_path / "out.pth")]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["in.pth"]


def test_unknown_save_key_and_one_without_weights_are_refused(trained, tmp_path, capsys):
    out = str(tmp_path / "m.pth")
    assert main([str(trained), out, "--save-keys", "state_dict", "optimiser"]) == 2
    assert "has no optimiser; it has meta, state_dict" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(trained), out, "--save-keys", "meta"])
    assert "without state_dict nothing is left" in capsys.readouterr().err
