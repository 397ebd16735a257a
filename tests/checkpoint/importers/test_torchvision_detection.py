"""torchvision's own detections, from its own random weights, by our model."""

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torchvision.models import detection

from mmdet_lite.apis import inference_detector, init_detector
from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.checkpoint.importers import import_weights
from mmdet_lite.config import load_config

SHORT, LONG = 160, 240
MOST = 40  # detections
CONFIGS = {
    "fasterrcnn": "faster-rcnn_r50_fpn_torchvision",
    "maskrcnn": "mask-rcnn_r50_fpn_torchvision",
    "keypointrcnn": "keypoint-rcnn_r50_fpn_torchvision",
    "retinanet": "retinanet_r50_fpn_torchvision",
}
# standard deviations of random layers with which there are many detections, of all scores
STDS = {
    "box_predictor.cls_score.weight": 2.0,
    "rpn.head.cls_logits.weight": 0.02,
    "bbox_pred.weight": 0.005,
    "bbox_reg.weight": 0.005,
    "classification_head.conv": 0.04,
    "classification_head.cls_logits.weight": 0.02,
    "mask_fcn_logits.weight": 0.05,
    "kps_score_lowres.weight": 0.05,
}


@torch.no_grad()
def torchvision_model(family, num_classes):
    """A detector with random weights whose layers have outputs of ordinary size."""
    build = getattr(detection, f"{family}_resnet50_fpn")
    most = {("" if family == "retinanet" else "box_") + "detections_per_img": MOST}
    model = build(weights=None, num_classes=num_classes, weights_backbone=None,
                  min_size=SHORT, max_size=LONG, **most)  # fmt: skip
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.0  # as torchvision sets it for its COCO weights
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(*((0.1, 0.3) if "bn3" in name else (0.5, 1)))
            module.bias.normal_(0, 0.1)
    for name, parameter in model.named_parameters():
        for part, std in STDS.items():
            if part in name and parameter.dim() > 1:
                parameter.normal_(0, std)
    if (
        num_classes > 50 and family != "retinanet"
    ):  # so that a softmax over many is sure of something
        model.roi_heads.box_predictor.cls_score.weight.mul_(2)
    if family == "retinanet":
        model.head.classification_head.cls_logits.bias.fill_(-3)
    return model.eval()


def picture():
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(blocks, (323, 211), interpolation=cv2.INTER_CUBIC)  # sides that round


def our_detector(configs_dir, family, num_classes, path):
    cfg = load_config(str(configs_dir / "torchvision" / f"{CONFIGS[family]}.py"))
    heads = cfg.model.roi_head if "roi_head" in cfg.model else cfg.model
    for name in ("bbox_head", "mask_head"):
        if name in heads:
            heads[name].num_classes = num_classes
    (cfg.model.test_cfg.get("rcnn") or cfg.model.test_cfg).max_per_img = MOST
    for step in cfg.test_dataloader.dataset.pipeline:
        if step["type"] == "TorchvisionResize":
            step.update(min_size=SHORT, max_size=LONG)
    if num_classes != 80:
        names = tuple(f"class {i}" for i in range(num_classes))
        cfg.test_dataloader.dataset.metainfo = {"classes": names}
    return init_detector(cfg, path, device="cpu")


@pytest.fixture
def configs_dir(request):
    return request.config.rootpath / "configs"


def detections_of_both(configs_dir, tmp_path, family, num_classes, prepare=None):
    model = torchvision_model(family, num_classes + 1)
    if prepare is not None:
        prepare(model)
    torch.save(model.state_dict(), tmp_path / "tv.pth")
    image = picture()
    rgb = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        theirs = model([rgb])[0]
    kept = min(num_classes, 80)
    detector = our_detector(configs_dir, family, kept, str(tmp_path / "tv.pth"))
    return theirs, inference_detector(detector, image).pred_instances


def in_their_order(theirs, ours):
    """Ours in the order of theirs, of which equal scores may be told apart by rounding alone."""
    assert len(theirs["boxes"]) == len(ours.bboxes) >= MOST // 2
    apart = (theirs["boxes"][:, None] - ours.bboxes[None]).abs().amax(dim=2)
    ours = ours[apart.argmin(dim=1)]
    torch.testing.assert_close(ours.bboxes, theirs["boxes"], rtol=0, atol=0.05)
    torch.testing.assert_close(ours.scores, theirs["scores"], rtol=0, atol=1e-4)
    return ours


def test_boxes_of_retinanet_are_torchvisions(configs_dir, tmp_path):
    theirs, ours = detections_of_both(configs_dir, tmp_path, "retinanet", 3)
    ours = in_their_order(theirs, ours)
    assert torch.equal(ours.labels, theirs["labels"] - 1)
    assert theirs["scores"].max() > 0.5


def test_masks_are_torchvisions_to_the_pixel(configs_dir, tmp_path):
    theirs, ours = detections_of_both(configs_dir, tmp_path, "maskrcnn", 3)
    ours = in_their_order(theirs, ours)
    assert theirs["scores"].max() > 0.5 and torch.equal(ours.labels, theirs["labels"] - 1)
    wanted = theirs["masks"][:, 0] >= 0.5
    drawn = torch.from_numpy(np.stack([coco_mask.decode(mask) for mask in ours.masks])).bool()
    assert wanted.sum() > 1000
    assert (wanted != drawn).sum() <= 2  # a probability may be 0.5 up to rounding


def test_joints_are_torchvisions(configs_dir, tmp_path):
    theirs, ours = detections_of_both(configs_dir, tmp_path, "keypointrcnn", 1)
    ours = in_their_order(theirs, ours)
    torch.testing.assert_close(ours.keypoints, theirs["keypoints"][..., :2], rtol=0, atol=0.05)


def unused_ids_never_win(model):
    """As training on COCO makes them; ids without a name have no place among our 80 classes."""
    names = detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    unused = [i for i, name in enumerate(names) if name == "N/A"]
    with torch.no_grad():
        model.roi_heads.box_predictor.cls_score.bias[unused] = -50


def test_91_rows_become_the_80_classes_of_coco(configs_dir, tmp_path):
    theirs, ours = detections_of_both(configs_dir, tmp_path, "fasterrcnn", 90, unused_ids_never_win)
    ours = in_their_order(theirs, ours)
    names = detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    classes = load_checkpoint_file(str(tmp_path / "tv.pth"))["meta"]["dataset_meta"]["classes"]
    assert [classes[i] for i in ours.labels] == [names[i] for i in theirs["labels"]]
    assert len(classes) == 80 and classes[0] == "person" and classes[-1] == "toothbrush"


def test_retinanet_of_coco_keeps_the_named_classes():
    theirs = torchvision_model("retinanet", 91).state_dict()
    imported = import_weights(theirs)
    bias = imported.weights["bbox_head.retina_cls.bias"].view(9, 80)
    wanted = theirs["head.classification_head.cls_logits.bias"].view(9, 91)
    assert len(imported.classes) == 80
    assert torch.equal(bias[:, 0], wanted[:, 1]) and torch.equal(bias[:, -1], wanted[:, 90])


def test_row_that_retinanet_loses_is_named():
    [note] = import_weights(torchvision_model("retinanet", 5).state_dict()).notes
    assert note.startswith("class 0 of 5 is left out")


@pytest.mark.parametrize("family", ["fasterrcnn", "maskrcnn", "retinanet"])
def test_names_of_the_second_version_are_known(family):
    build = getattr(detection, f"{family}_resnet50_fpn_v2")
    with torch.device("meta"):
        theirs = build(weights=None, weights_backbone=None, num_classes=4).state_dict()
    imported = import_weights({k: torch.zeros(v.shape) for k, v in theirs.items()})
    assert imported.left_over == () and len(imported.weights) == len(theirs)
    assert "second version (_v2)" in imported.notes[-1]
    if family != "retinanet":
        assert "rpn_head.rpn_conv.1.conv.weight" in imported.weights
        assert "roi_head.bbox_head.shared_convs.3.bn.running_var" in imported.weights
        assert imported.weights["roi_head.bbox_head.shared_fcs.0.weight"].shape == (1024, 256 * 49)


def test_names_before_0_13_give_the_same(built):
    new = torchvision_model("maskrcnn", 3).state_dict()
    old = {}
    for key, value in new.items():
        for a, b in (
            ("inner_blocks.{}.0.", "inner_blocks.{}."),
            ("layer_blocks.{}.0.", "layer_blocks.{}."),
            ("rpn.head.conv.{}.0.", "rpn.head.conv."),
        ):
            for i in range(4):
                key = key.replace(a.format(i), b.format(i))
        for i in range(4):
            key = key.replace(f"mask_head.{i}.0.", f"mask_head.mask_fcn{i + 1}.")
        old[key] = value
    assert set(old) != set(new)
    assert set(import_weights(old).weights) == set(import_weights(new).weights)


@pytest.mark.parametrize(
    ("build", "word"),
    [
        (detection.fcos_resnet50_fpn, "FCOS"),
        (detection.ssd300_vgg16, "SSD"),
        (detection.fasterrcnn_mobilenet_v3_large_320_fpn, "MobileNet"),
    ],
)
def test_other_detectors_of_torchvision_are_refused_by_name(build, word):
    with torch.device("meta"):
        theirs = build(weights=None, weights_backbone=None).state_dict()
    with pytest.raises(ValueError, match=rf"weights of torchvision's .*{word}.*not read here"):
        import_weights({k: torch.zeros(v.shape) for k, v in theirs.items()})


def test_ordinary_config_is_refused_with_both_sides_and_the_right_config(configs_dir, tmp_path):
    torch.save(torchvision_model("maskrcnn", 91).state_dict(), tmp_path / "tv.pth")
    stock = configs_dir / "mask_rcnn" / "mask-rcnn_r50_fpn_1x_coco.py"
    with pytest.raises(ValueError) as caught:
        init_detector(stock, tmp_path / "tv.pth", device="cpu")
    text = str(caught.value)
    for part in (
        "RoIAlign aligned=False sampling_ratio=2, mask_paste whole_pixels",
        "norm_eps 0.0",
        "norm_eps 1e-05",
        "anchors AnchorGenerator",
        "Take the config that is as these weights need it: "
        "configs/torchvision/mask-rcnn_r50_fpn_torchvision.py",
    ):
        assert part in text
    assert "--cfg-options" not in text  # options alone do not make its anchors


def test_own_training_of_torchvisions_says_nothing_of_the_epsilon():
    imported = import_weights(torchvision_model("fasterrcnn", 4).state_dict())
    assert "norm_eps" not in imported.conventions
    assert imported.conventions["roi_align"] == [[False, 2]]
