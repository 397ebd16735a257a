from types import SimpleNamespace

import pytest
from torch import nn
from toy_training import run

from mmdet_lite.engine import check_num_classes


class Head(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.num_classes = num_classes


class RPNHead(Head):
    """A region proposal head has one class whatever the data."""


def data(*classes):
    return SimpleNamespace(metainfo={"classes": classes})


def cascade(*counts):
    return nn.ModuleDict({"roi_head": nn.ModuleList(Head(count) for count in counts)})


def test_each_contradicting_head_is_named_with_value_and_expected():
    with pytest.raises(ValueError) as caught:
        check_num_classes(cascade(2, 80, 3), data("a", "b"), "train_dataloader.dataset")
    text = str(caught.value)
    assert "model.roi_head.1.num_classes = 80" in text
    assert "model.roi_head.2.num_classes = 3" in text and "roi_head.0" not in text
    assert "has 2 classes" in text and "('a', 'b')" in text


def test_agreeing_heads_proposal_heads_backbones_and_unnamed_data_pass():
    model = nn.ModuleDict({"roi_head": Head(2), "rpn_head": Head(1), "backbone": Head(-1)})
    model["bbox_head"] = RPNHead(1)
    check_num_classes(model, data("a", "b"), "d")
    check_num_classes(cascade(7), SimpleNamespace(), "d")
    check_num_classes(cascade(7), SimpleNamespace(metainfo={}), "d")


def test_bare_string_classes_are_refused():
    with pytest.raises(TypeError, match=r"bare string 'balloon': .*classes=\('balloon',\)"):
        check_num_classes(cascade(7), SimpleNamespace(metainfo={"classes": "balloon"}), "d")


def test_training_stops_before_its_first_step(tmp_path, monkeypatch):
    from toy_training import ToyModel

    monkeypatch.setattr(ToyModel, "num_classes", 80, raising=False)
    with pytest.raises(ValueError, match="has 2 classes, but"):
        run(tmp_path, epochs=1)
    assert not list(tmp_path.glob("*.pth"))


def test_validation_data_of_another_order_stops_before_the_first_step(tmp_path):
    with pytest.raises(ValueError, match=r"(?s)different classes; .*0: 'disc' 'ring'.*same order"):
        run(tmp_path, epochs=1, val_dataloader__dataset__classes=("ring", "disc"))
    assert not list(tmp_path.glob("*.pth"))
