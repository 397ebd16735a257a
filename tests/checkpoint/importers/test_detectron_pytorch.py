import pytest
import torch
from foreign_layouts import detectron_pytorch

from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.checkpoint.importers import import_weights


@pytest.mark.parametrize("kind", ["mask", "keypoint", "c4"])
def test_every_tensor_of_a_checkpoint_comes_back(kind, own_weights, tmp_path):
    own = own_weights(kind)
    content = {"model": detectron_pytorch(own), "step": 3, "optimizer": {"state": {}}}
    torch.save(content, tmp_path / "model_step3.pth")
    read = load_checkpoint_file(str(tmp_path / "model_step3.pth"))["state_dict"]
    assert set(read) == set(own)
    learnt = [key for key in own if "running_" not in key]
    assert [k for k in learnt if not torch.equal(read[k], own[k])] == []


def test_pyramid_is_counted_from_its_top_and_group_norms_are_found():
    names = {
        "Conv_Body.conv_body.res1.conv1.weight": "backbone.conv1.weight",
        "Conv_Body.conv_body.res5.2.gn3.weight": "backbone.layer4.2.gn3.weight",
        "Conv_Body.conv_top.0.weight": "neck.lateral_convs.3.conv.weight",
        "Conv_Body.conv_top.1.bias": "neck.lateral_convs.3.gn.bias",
        "Conv_Body.topdown_lateral_modules.0.conv_lateral.0.weight": (
            "neck.lateral_convs.2.conv.weight"
        ),
        "Conv_Body.topdown_lateral_modules.2.conv_lateral.1.bias": "neck.lateral_convs.0.gn.bias",
        "Conv_Body.posthoc_modules.3.0.weight": "neck.fpn_convs.0.conv.weight",
    }
    more = {"Conv_Body.topdown_lateral_modules.1.conv_lateral.0.bias": torch.ones(1)}
    imported = import_weights({name: torch.ones(4) for name in names} | more)
    assert set(names.values()) < set(imported.weights)
    assert "neck.lateral_convs.1.conv.bias" in imported.weights


def test_convolutions_between_group_norms_are_numbered_by_themselves():
    conv, norm = torch.ones(2, 2, 3, 3), torch.ones(2)
    theirs = {"Conv_Body.res1.conv1.weight": conv}
    for i in range(2):  # convolution, group norm, ReLU
        theirs[f"Mask_Head.conv_fcn.{3 * i}.weight"] = conv + i
        theirs[f"Mask_Head.conv_fcn.{3 * i + 1}.weight"] = norm + i
    ours = import_weights(theirs).weights
    assert torch.equal(ours["roi_head.mask_head.convs.1.conv.weight"], conv + 1)
    assert torch.equal(ours["roi_head.mask_head.convs.1.gn.weight"], norm + 1)


def test_mask_heads_stage_is_left_out_only_where_it_is_the_box_heads():
    stage = torch.ones(2, 2, 1, 1)
    theirs = {
        "Conv_Body.res1.conv1.weight": stage,
        "Box_Head.res5.0.conv1.weight": stage,
        "Box_Head.res5.0.conv3.weight": stage,
        "Mask_Head.res5.0.conv1.weight": stage.clone(),
        "Mask_Head.res5.0.conv3.weight": stage + 1,
    }
    imported = import_weights(theirs)
    assert list(imported.left_over) == ["Mask_Head.res5.0.conv3.weight"]
