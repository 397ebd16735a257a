import pytest
import torch
from torch import nn

from mmdet_lite.checkpoint import load_state_dict


def detector(classes):
    return nn.ModuleDict({"body": nn.Linear(3, 3), "head": nn.Linear(3, classes + 1)})


def test_fitting_tensors_are_loaded_and_other_heads_stay_as_initialised():
    source, model = detector(80), detector(2)
    before = model["head"].weight.clone()
    report = load_state_dict(model, source.state_dict(), "coco.pth")
    assert torch.equal(model["body"].weight, source["body"].weight)
    assert torch.equal(model["head"].weight, before)
    assert report.loaded == 2 and not report.complete
    assert report.mismatched == (
        ("head.weight", (81, 3), (3, 3)),
        ("head.bias", (81,), (3,)),
    )
    assert "head.weight (81, 3) in the file, (3, 3) here" in report.text()


def test_missing_and_unexpected_keys_are_listed_but_not_batch_counters():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weights = {"0.weight": torch.ones(2, 2), "fc.weight": torch.ones(1)}
    report = load_state_dict(model, weights, "a.pth")
    assert report.unexpected == ("fc.weight",)
    assert report.missing == ("0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var")
    assert list(weights) == ["0.weight", "fc.weight"]


def test_strict_refuses_an_incomplete_fit():
    with pytest.raises(ValueError, match=r"does not fit this model\n.*\n.*another shape"):
        load_state_dict(detector(2), detector(3).state_dict(), "a.pth", strict=True)


@pytest.mark.parametrize("weights", [{}, {"other": torch.ones(1)}])
def test_a_file_of_which_nothing_fits_is_an_error(weights):
    with pytest.raises(ValueError, match=r"no tensor of a\.pth fits.*the model body\.weight"):
        load_state_dict(detector(2), weights, "a.pth")


def test_long_lists_are_cut_and_say_so():
    model = nn.ModuleList(nn.Linear(1, 1) for _ in range(20))
    report = load_state_dict(model, {"0.weight": torch.ones(1, 1)}, "a.pth")
    assert "39 missing in the file" in report.text() and "... and 19 more" in report.text()
