"""The mask head: shapes, its own class's mask, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F

from mmdet_lite.models.roi_heads import FCNMaskHead

SMALL = {"num_classes": 3, "in_channels": 4, "conv_out_channels": 6, "num_convs": 2}


def test_keys_are_those_of_checkpoints():
    keys = list(FCNMaskHead(**SMALL).state_dict())
    assert keys[:2] == ["convs.0.conv.weight", "convs.0.conv.bias"]
    assert keys[-4:] == [
        "upsample.weight",
        "upsample.bias",
        "conv_logits.weight",
        "conv_logits.bias",
    ]


@pytest.mark.parametrize(
    ("upsampling", "wanted"),
    [
        (None, 28),
        ({"type": "deconv", "scale_factor": 2}, 28),
        ({"type": "nearest", "scale_factor": 2}, 28),
        ({"type": "bilinear", "scale_factor": 3}, 42),
        ({"type": None}, 14),
    ],
)
def test_masks_have_the_size_that_upsampling_says(upsampling, wanted):
    head = FCNMaskHead(**SMALL, upsample_cfg=upsampling)
    assert head(torch.randn(2, 4, 14, 14)).shape == (2, 3, wanted, wanted)


def test_forward_is_convolutions_deconvolution_and_logits():
    head = FCNMaskHead(**SMALL)
    head.init_weights()
    x = torch.randn(2, 4, 14, 14)
    wanted = x
    for conv in head.convs:
        wanted = F.relu(F.conv2d(wanted, conv.conv.weight, conv.conv.bias, padding=1))
    wanted = F.conv_transpose2d(wanted, head.upsample.weight, head.upsample.bias, stride=2)
    wanted = F.conv2d(F.relu(wanted), head.conv_logits.weight, head.conv_logits.bias)
    assert torch.allclose(head(x), wanted, atol=1e-5)


@pytest.mark.parametrize("class_agnostic", [False, True])
def test_loss_and_prediction_read_the_own_class(class_agnostic):
    head = FCNMaskHead(**SMALL, class_agnostic=class_agnostic)
    logits = torch.randn(5, 1 if class_agnostic else 3, 28, 28)
    labels = torch.tensor([2, 0, 1, 1, 2])
    own = (
        logits[:, 0]
        if class_agnostic
        else torch.stack([logits[i, k] for i, k in enumerate(labels)])
    )
    targets = (torch.rand(5, 28, 28) > 0.5).float()
    wanted = F.binary_cross_entropy_with_logits(own, targets)
    assert torch.allclose(head.loss(logits, targets, labels)["loss_mask"], wanted)
    assert torch.allclose(head.predict(logits, labels), own.sigmoid())
    assert labels.tolist() == [2, 0, 1, 1, 2]


def test_no_rois_give_zero_loss_and_a_gradient_for_every_weight():
    head = FCNMaskHead(**SMALL)
    logits = head(torch.zeros(0, 4, 14, 14))
    none = torch.zeros(0, dtype=torch.long)
    loss = head.loss(logits, torch.zeros(0, 28, 28), none)["loss_mask"]
    loss.backward()
    assert loss == 0 and all(p.grad is not None for p in head.parameters())
    assert head.predict(logits, none).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"num_classes": None}, r"num_classes is missing.*model\.roi_head\.mask_head\.num_classes"),
        ({"upsample_cfg": {"type": "carafe"}}, "one of .*'deconv'.* got 'carafe'"),
        ({"loss_mask": {"type": "CrossEntropyLoss"}}, "use_mask=True"),
    ],
)
def test_wrong_arguments_are_refused(args, said):
    with pytest.raises(ValueError, match=said):
        FCNMaskHead(**{**SMALL, **args})


def test_detectrons_heads_are_parameters():
    gn = {"type": "GN", "num_groups": 2}
    two = FCNMaskHead(**{**SMALL, "num_convs": 2})  # v1up
    four = FCNMaskHead(**{**SMALL, "num_convs": 4}, norm_cfg=gn)  # v1up4convs_gn
    assert len(two.convs) == 2 and len(four.convs) == 4
    assert four.convs[3].gn.num_groups == 2 and four.convs[3].conv.bias is None
    assert four.upsample.bias is not None
    none = FCNMaskHead(**{**SMALL, "num_convs": 0})  # v0up, behind a ResNet stage
    assert next(iter(none.state_dict())) == "upsample.weight"
    assert none(torch.randn(1, 4, 7, 7)).shape == (1, 3, 14, 14)


def test_the_last_convolution_may_be_another_layer():
    head = FCNMaskHead(**SMALL, predictor_cfg={"type": "ConvWS"}, conv_cfg={"type": "ConvWS"})
    kinds = {type(m).__name__ for m in (head.conv_logits, head.convs[0].conv)}
    assert kinds == {"ConvWS2d"}


def test_carafe_and_unknown_keys_of_upsampling_are_refused():
    with pytest.raises(ValueError, match=r"must be one of .*bilinear.*got 'carafe'"):
        FCNMaskHead(**SMALL, upsample_cfg={"type": "carafe", "scale_factor": 2})
    with pytest.raises(ValueError, match=r"upsample_cfg\.scale_factr.*scale_factor"):
        FCNMaskHead(**SMALL, upsample_cfg={"type": "deconv", "scale_factr": 2})
