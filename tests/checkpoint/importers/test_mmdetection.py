import pytest
import torch

from mmdet_lite.checkpoint.importers import import_weights
from mmdet_lite.registry import MODELS


def old_ssd():
    """SSD300's weights as MMDetection before 2.14 called them."""
    cfg = {
        "type": "SSDVGG", "depth": 16, "with_last_pool": False, "ceil_mode": True,
        "out_indices": (3, 4), "out_feature_indices": (22, 34),
    }  # fmt: skip
    weights = {f"backbone.{k}": v for k, v in MODELS.build(cfg).state_dict().items()}
    for i in range(8):
        weights[f"backbone.extra.{i}.weight"] = torch.full((1,), float(i))
        weights[f"backbone.extra.{i}.bias"] = torch.full((1,), float(i))
    weights["backbone.l2_norm.weight"] = torch.ones(512)
    weights["bbox_head.cls_convs.0.weight"] = torch.arange(6.0)
    weights["bbox_head.cls_convs.0.bias"] = torch.arange(6.0)
    return weights


def test_ssd_of_version_two_gets_its_neck_and_keeps_its_rows():
    ours = import_weights(old_ssd(), {"mmdet_version": "2.4.0"}).weights
    assert float(ours["neck.extra_layers.2.1.conv.weight"]) == 5
    assert torch.equal(ours["neck.l2_norm.weight"], torch.ones(512))
    assert torch.equal(ours["bbox_head.cls_convs.0.0.weight"], torch.arange(6.0))


@pytest.mark.parametrize("version", ["0.6.0", "1.2.0+abc"])
def test_ssd_of_version_one_is_refused_since_its_rows_begin_with_background(version):
    with pytest.raises(ValueError, match=r"SSD of MMDetection .* not read here.*upgrade_model"):
        import_weights(old_ssd(), {"mmdet_version": version})
