"""The extractor against torchvision's multi-level pooling."""

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from mmdet_lite.models.roi_heads import SingleRoIExtractor

ROI_LAYER = {"type": "RoIAlign", "output_size": 7, "sampling_ratio": 2, "aligned": False}


def test_features_are_those_of_torchvisions_pooler():
    strides = [4, 8, 16, 32]
    features = [torch.randn(2, 3, 512 // s, 640 // s) for s in strides]
    corners = torch.rand(80, 2, 2) * torch.tensor([640.0, 512.0])
    boxes = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    boxes[:20, 2:] = boxes[:20, :2] + 30
    image = torch.randint(2, (80,)).sort().values
    rois = torch.cat([image[:, None], boxes], dim=1)
    ours = SingleRoIExtractor(ROI_LAYER, 3, strides)
    theirs = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    wanted = theirs(
        {str(i): f for i, f in enumerate(features)},
        [boxes[image == 0], boxes[image == 1]],
        [(512, 640)] * 2,
    )
    # a fifth level, as the RPN has, is not looked at
    assert torch.allclose(ours([*features, torch.randn(2, 3, 8, 10)], rois), wanted, atol=1e-4)


def test_finest_scale_moves_the_levels():
    features = [torch.zeros(1, 1, 64, 64), torch.ones(1, 1, 32, 32)]
    rois = torch.tensor([[0.0, 0.0, 0.0, 60.0, 60.0]])
    assert SingleRoIExtractor(ROI_LAYER, 1, [4, 8])(features, rois).max() == 0
    assert SingleRoIExtractor(ROI_LAYER, 1, [4, 8], finest_scale=28)(features, rois).min() > 0.99


def test_roi_pool_takes_the_maximum_on_the_right_level():
    features = [torch.rand(1, 2, 64, 64), torch.rand(1, 2, 32, 32)]
    rois = torch.tensor([[0.0, 8.0, 16.0, 63.0, 71.0], [0.0, 0.0, 0.0, 251.0, 251.0]])
    pooled = SingleRoIExtractor({"type": "RoIPool", "output_size": 1}, 2, [4, 8])(features, rois)
    assert torch.equal(pooled[0, :, 0, 0], features[0][0, :, 4:18, 2:16].amax((1, 2)))
    assert torch.equal(pooled[1, :, 0, 0], features[1][0].amax((1, 2)))


def test_no_rois_give_no_features():
    pooled = SingleRoIExtractor(ROI_LAYER, 3, [4])([torch.randn(1, 3, 8, 8)], torch.zeros(0, 5))
    assert pooled.shape == (0, 3, 7, 7)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "RoIWarp"}, r"roi_layer\.type: expected 'RoIAlign' or 'RoIPool', got 'RoIWarp'"),
        ({"type": "RoIPool"}, r"roi_layer\.sampling_ratio: no such key"),
        ({"pool_mode": "max"}, "pool_mode: expected 'avg', got 'max'"),
        ({"output_size": (7, 14)}, r"must be square, got \(7, 14\)"),
        ({"output_size": None}, "output_size: expected a number of pixels .* got None"),
        ({"output_size": 0}, "output_size: expected a number of pixels .* got 0"),
        ({"output_size": "7"}, "got '7'"),
        ({"output_size": (7, 7, 7)}, r"got \(7, 7, 7\)"),
        ({"sample_num": 2}, r"roi_layer\.sample_num"),
    ],
)
def test_wrong_roi_layers_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        SingleRoIExtractor({**ROI_LAYER, **change}, 3, [4])
    with pytest.raises(ValueError, match=r"roi_layer\.output_size: expected .* got None"):
        SingleRoIExtractor({"type": "RoIAlign"}, 3, [4])
    assert SingleRoIExtractor({**ROI_LAYER, "output_size": (7, 7)}, 3, [4]).output_size == 7
