import pickle

import pytest
import torch
from foreign_layouts import detectron2, octaves_outside

from mmdet_lite.checkpoint import load_checkpoint_file, load_weights
from mmdet_lite.checkpoint.importers import import_weights
from mmdet_lite.registry import MODELS


def save(path, weights):
    """A .pkl as the model zoo has it: arrays in a dict with an author."""
    arrays = {name: value.numpy() for name, value in weights.items()}
    with path.open("wb") as file:
        pickle.dump({"model": arrays, "__author__": "somebody"}, file)
    return str(path)


def assert_same(read, own):
    assert set(read) == set(own)
    assert [k for k in own if not torch.equal(read[k], own[k])] == []


def as_detectron2_runs_it(cfg, kind):
    cfg.data_preprocessor.update(mean=[103.53, 116.28, 123.675], std=[1, 1, 1], bgr_to_rgb=False)
    cfg.backbone.style = "pytorch" if kind == "gn" else "caffe"
    if kind == "retina":
        cfg.neck.relu_before_extra_convs = True
    for name in ("bbox_roi_extractor", "keypoint_roi_extractor"):
        if name in cfg.get("roi_head", {}):
            cfg.roi_head[name].roi_layer.sampling_ratio = 0
    return cfg


@pytest.mark.parametrize("kind", ["mask", "gn", "keypoint", "c4", "retina"])
def test_every_tensor_of_a_zoo_model_comes_back(kind, own_weights, small_config_of, tmp_path):
    own = own_weights(kind)
    path = save(tmp_path / "model.pkl", detectron2(octaves_outside(own)))
    checkpoint = load_checkpoint_file(path)
    assert_same(checkpoint["state_dict"], own)
    assert checkpoint["meta"]["imported_from"] == "Detectron2"
    model = MODELS.build(as_detectron2_runs_it(small_config_of(kind), kind))
    assert load_weights(model, checkpoint, path, strict=True).complete


def test_one_mask_head_of_a_cascade_becomes_three_equal_ones(own_weights, tmp_path):
    own = own_weights("cascade")
    first = "roi_head.mask_head.0."
    for stage in ("1", "2"):
        for key in [key for key in own if key.startswith(first)]:
            own[key.replace("mask_head.0", f"mask_head.{stage}")] = own[key]
    assert_same(load_checkpoint_file(save(tmp_path / "a.pkl", detectron2(own)))["state_dict"], own)


def test_pth_and_a_bare_imagenet_backbone_are_read(own_weights, tmp_path):
    own = {k: v for k, v in own_weights("mask").items() if k.startswith("backbone.")}
    theirs = {k.replace("backbone.bottom_up.", ""): v for k, v in detectron2(own).items()}
    torch.save({"model": theirs, "iteration": 3}, tmp_path / "backbone.pth")
    assert_same(load_checkpoint_file(str(tmp_path / "backbone.pth"))["state_dict"], own)


def test_names_of_the_model_zoo():
    known = {
        "backbone.bottom_up.stem.conv1.weight": "backbone.conv1.weight",
        "backbone.bottom_up.res2.0.conv1.weight": "backbone.layer1.0.conv1.weight",
        "backbone.bottom_up.stem.conv1.norm.running_mean": "backbone.bn1.running_mean",
        "backbone.bottom_up.res4.5.conv2.weight": "backbone.layer3.5.conv2.weight",
        "backbone.fpn_lateral2.bias": "neck.lateral_convs.0.conv.bias",
        "backbone.fpn_output3.weight": "neck.fpn_convs.1.conv.weight",
        "proposal_generator.rpn_head.anchor_deltas.bias": "rpn_head.rpn_reg.bias",
        "roi_heads.box_head.fc1.weight": "roi_head.bbox_head.shared_fcs.0.weight",
        "roi_heads.mask_head.mask_fcn4.bias": "roi_head.mask_head.convs.3.conv.bias",
        "roi_heads.keypoint_head.score_lowres.weight": "roi_head.keypoint_head.upsample.weight",
    }
    extra = {"backbone.fpn_lateral3.bias": torch.ones(3)}
    imported = import_weights({name: torch.ones(12) for name in known} | extra)
    assert set(imported.weights) == set(known.values()) | {"neck.lateral_convs.1.conv.bias"}
    assert imported.left_over == ()


def test_preprocessing_is_that_of_the_backbone_or_of_the_file(own_weights):
    theirs = detectron2(own_weights("mask"))
    assert import_weights(theirs).preprocessing["order"] == "BGR"
    assert import_weights(theirs).preprocessing["std"] == [1.0, 1.0, 1.0]
    said = {"pixel_mean": torch.tensor([[[9.0]], [[8.0]], [[7.0]]]), "pixel_std": torch.ones(3)}
    wanted = {"order": "RGB", "mean": [9.0, 8.0, 7.0], "std": [1.0, 1.0, 1.0]}
    assert import_weights(theirs | said).preprocessing == wanted
    grouped = {k: v[:, :1] if k.endswith("res2.0.conv2.weight") else v for k, v in theirs.items()}
    assert import_weights(grouped).preprocessing["std"] == [57.375, 57.12, 58.395]


def test_other_number_of_classes_starts_its_rows_anew(own_weights, small_config_of, tmp_path):
    path = save(tmp_path / "model.pkl", detectron2(own_weights("mask")))
    cfg = as_detectron2_runs_it(small_config_of("mask"), "mask")
    cfg.roi_head.bbox_head.num_classes = cfg.roi_head.mask_head.num_classes = 3
    report = load_weights(MODELS.build(cfg), load_checkpoint_file(path), path)
    changed = {key.rpartition(".")[0].rpartition(".")[2] for key, _, _ in report.mismatched}
    assert changed == {"fc_cls", "fc_reg", "conv_logits"} and report.missing == ()


def test_conventions_are_those_of_its_configs(own_weights):
    mask = import_weights(detectron2(own_weights("mask")))
    assert mask.conventions == {"style": ["caffe"], "roi_align": [[True, 0], [False, 2]]}
    assert import_weights(detectron2(own_weights("gn"))).conventions["style"] == ["pytorch"]
    retina = import_weights(detectron2(own_weights("retina"))).conventions
    assert retina == {"style": ["caffe"], "relu_before_extra_convs": [True]}


def test_backbone_taken_from_torchvision_is_as_its_author(own_weights, tmp_path):
    own = {k: v for k, v in own_weights("mask").items() if k.startswith("backbone.")}
    theirs = {k.replace("backbone.bottom_up.", ""): v.numpy() for k, v in detectron2(own).items()}
    content = {"model": theirs, "__author__": "torchvision", "matching_heuristics": True}
    (tmp_path / "R-50.pkl").write_bytes(pickle.dumps(content))
    meta = load_checkpoint_file(str(tmp_path / "R-50.pkl"))["meta"]
    assert meta["preprocessing"]["order"] == "RGB" and meta["conventions"]["style"] == ["pytorch"]
    assert meta["fitting_config"] is None


def test_nothing_is_said_of_models_whose_norms_were_trained(own_weights):
    theirs = detectron2(own_weights("mask"))
    counter = {"backbone.bottom_up.res2.0.conv1.norm.num_batches_tracked": torch.tensor(9)}
    imported = import_weights(theirs | counter)
    assert imported.preprocessing is None and "style" not in imported.conventions


def test_the_config_that_loads_is_named_and_the_pasted_options_change_the_strides(
    own_weights, small_config_of, tmp_path
):
    path = save(tmp_path / "model.pkl", detectron2(own_weights("mask")))
    model = MODELS.build(small_config_of("mask"))
    with pytest.raises(ValueError) as caught:
        load_weights(model, load_checkpoint_file(path), path, strict=True)
    text = str(caught.value)
    assert text.index("configs/detectron2/mask-rcnn_r50_fpn_detectron2.py") < text.index(
        "--cfg-opt"
    )
    assert "model.backbone.style=caffe" in text
