import pickle

import numpy as np
import pytest
import torch
from foreign_layouts import detectron, octaves_outside

from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.checkpoint.importers import import_weights

ZOO_RATIOS = (1.0, 2.0, 0.5)  # RETINANET.ASPECT_RATIOS of configs/12_2017_baselines/retinanet_*


def save(path, blobs, **more):
    with path.open("wb") as file:
        pickle.dump({"blobs": blobs, **more}, file, protocol=2)
    return str(path)


@pytest.mark.parametrize("kind", ["mask", "gn", "keypoint", "c4", "retina"])
def test_every_tensor_of_a_baseline_comes_back(kind, own_weights, tmp_path):
    own = own_weights(kind)
    blobs = detectron(octaves_outside(own, ZOO_RATIOS) if kind == "retina" else own)
    blobs |= {"conv1_w_momentum": blobs["conv1_w"], "lr": np.float32(0.1)}
    read = load_checkpoint_file(save(tmp_path / "model.pkl", blobs, cfg="a: 1"))["state_dict"]
    assert set(read) == set(own)
    learnt = [key for key in own if "running_" not in key]
    assert [k for k in learnt if not torch.equal(read[k], own[k])] == []


@pytest.mark.parametrize(
    "form", ["!!python/tuple [{}, {}, {}]", "\n  - {}\n  - {}\n  - {}", "({}, {}, {})"]
)
def test_order_of_ratios_that_the_file_states_is_taken(form, own_weights, tmp_path):
    own = own_weights("retina")
    order = (2.0, 0.5, 1.0)
    stated = f"ASPECT_RATIOS: {form.format(*order)}"
    cfg = f"RPN:\n  ASPECT_RATIOS: [9]\nRETINANET:\n  {stated}\n  BBOX: 3\n"
    path = save(tmp_path / "model.pkl", detectron(octaves_outside(own, order)), cfg=cfg)
    read = load_checkpoint_file(path)["state_dict"]
    heads = [key for key in own if ".retina_" in key]
    assert len(heads) == 4 and all(torch.equal(read[key], own[key]) for key in heads)


def test_scale_and_shift_become_a_batch_norm_that_does_just_that(own_weights, tmp_path):
    own = own_weights("mask")
    read = load_checkpoint_file(save(tmp_path / "a.pkl", detectron(own)))["state_dict"]
    norm = torch.nn.BatchNorm2d(len(own["backbone.bn1.weight"])).eval()
    part = {k.removeprefix("backbone.bn1."): v for k, v in read.items() if "backbone.bn1." in k}
    norm.load_state_dict(part, strict=False)
    x = torch.randn(2, len(norm.weight), 3, 3)
    wanted = x * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1)
    torch.testing.assert_close(norm(x), wanted, rtol=2e-7, atol=1e-6)


def test_names_of_the_baselines_and_of_imagenet():
    blobs = {
        "conv1_w": "backbone.conv1.weight",
        "res_conv1_bn_s": "backbone.bn1.weight",
        "res2_0_branch2a_w": "backbone.layer1.0.conv1.weight",
        "res4_22_branch2c_bn_b": "backbone.layer3.22.bn3.bias",
        "res2_0_branch2a_bn_s": "backbone.layer1.0.bn1.weight",
        "res2_0_branch1_bn_s": "backbone.layer1.0.downsample.1.weight",
        "fpn_inner_res5_2_sum_w": "neck.lateral_convs.1.conv.weight",
        "fpn_inner_res4_22_sum_lateral_w": "neck.lateral_convs.0.conv.weight",
        "conv_rpn_fpn2_w": "rpn_head.rpn_conv.weight",
        "_[mask]_fcn1_w": "roi_head.mask_head.convs.0.conv.weight",
        "conv_fcn8_b": "roi_head.keypoint_head.convs.7.conv.bias",
    }
    imported = import_weights({name: torch.ones(4) for name in blobs} | {"spare_w": torch.ones(1)})
    made = {k for k in imported.weights if "running_" not in k}
    assert made == set(blobs.values()) and imported.left_over == ("spare_w",)


def test_imagenet_classifier_and_fixed_upsampling_are_not_missed(own_weights):
    blobs = detectron({k: v for k, v in own_weights("mask").items() if k.startswith("backbone")})
    tensors = {name: torch.from_numpy(blob) for name, blob in blobs.items()}
    imported = import_weights(tensors | {"pred_w": torch.ones(1), "kps_score_w": torch.ones(1)})
    assert imported.left_over == () and imported.notes == ()
    assert all(key.startswith("backbone.") for key in imported.weights)


def test_pickle_of_python_2_with_arrays_is_read(tmp_path):
    # what Python 2.7 and numpy 1.13 wrote for {'blobs': {'conv1_w': zeros, ...}}: protocol 0
    text = pickle.dumps({"blobs": {"conv1_w": np.arange(3.0), "res2_0_branch2a_w": np.zeros(1)}}, 0)
    text = text.replace(b"numpy._core", b"numpy.core")
    (tmp_path / "old.pkl").write_bytes(text)
    read = load_checkpoint_file(str(tmp_path / "old.pkl"))["state_dict"]
    assert read["backbone.conv1.weight"].tolist() == [0, 1, 2]
