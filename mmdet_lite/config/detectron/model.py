"""The model of a Detectron YAML: which base file it starts from, and what it sets.

Values are yielded as (dotted key below ``model``, value) for everything that the YAML decides; what
the base file says already is left out later. Three things hold for every model of Detectron:
RoIAlign is not shifted by half a pixel (``aligned=False``), anchors are centred in their cells, and
boxes are learned with a smooth L1 loss, of beta 1/9 in the RPN.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmdet_lite.config.detectron.keys import Settings
from mmdet_lite.config.detectron.text import Whole

GN = {"type": "GN", "num_groups": 32, "requires_grad": True}
RPN_BETA = 1 / 9
ANCHOR_CENTER = 0.5
Rows = Iterator[tuple[str, Any]]


@dataclass(frozen=True)
class Body:
    """The backbone: ``depth`` of ResNet, ``end`` is fpn, c4 or dc5."""

    depth: int
    end: str


def base_name(settings: Settings) -> tuple[str, str]:
    """Names of the base files of model and data.

    Raises:
        ValueError: if no model here is of that kind.
    """
    end = parse_body(settings).end
    ends: tuple[str, ...]
    masks, joints = settings["MODEL.MASK_ON"], settings["MODEL.KEYPOINTS_ON"]
    if settings["RETINANET.RETINANET_ON"]:
        kind, data, ends = "retinanet_r50-caffe", "coco_detection", ("fpn",)
    elif settings["MODEL.RPN_ONLY"]:
        kind, data, ends = "rpn_r50", "coco_detection", ("fpn", "c4")
        kind += "-caffe" if end == "c4" else ""
    elif not settings["MODEL.FASTER_RCNN"]:
        if masks or joints:
            raise ValueError(
                f"{settings.source}: masks or keypoints on proposals from a file are not to be had "
                "here; set MODEL.FASTER_RCNN: True, which learns the proposals together with them"
            )
        kind, data, ends = "fast-rcnn_r50-caffe", "coco_proposals", ("fpn",)
    elif masks and joints:
        raise ValueError(
            f"{settings.source}: MASK_ON and KEYPOINTS_ON together are not to be had here; "
            "make two configs"
        )
    elif joints:
        kind, data, ends = "keypoint-rcnn_r50", "coco_keypoint", ("fpn",)
    elif masks:
        kind, data, ends = "mask-rcnn_r50-caffe", "coco_instance_poly", ("fpn", "c4")
    else:
        kind, data, ends = "faster-rcnn_r50-caffe", "coco_detection", ("fpn", "c4", "dc5")
    if end not in ends:
        raise ValueError(
            f"{settings.source}: MODEL.CONV_BODY={settings['MODEL.CONV_BODY']!r} has no base for "
            f"{kind.split('_')[0]} here; those with {', '.join(ends)} have"
        )
    return kind + ("_fpn" if end == "fpn" else f"-{end}"), data


def parse_body(settings: Settings) -> Body:
    """What ``MODEL.CONV_BODY`` says.

    Raises:
        ValueError: if it is no ResNet with an end that is known here.
    """
    text = settings["MODEL.CONV_BODY"]
    found = re.search(r"(FPN\.)?(?:add_)?(?:fpn_)?ResNet(50|101|152)_conv([45])_body$", text)
    dilation = settings["RESNETS.RES5_DILATION"]
    if found and bool(found[1]) == settings["FPN.FPN_ON"] and (found[1] is None or found[3] == "5"):
        end = "fpn" if found[1] else ("c4" if found[3] == "4" else "dc5")
        if dilation == (2 if end == "dc5" else 1):
            return Body(int(found[2]), end)
    raise ValueError(
        f"{settings.source}: MODEL.CONV_BODY={text!r} with FPN.FPN_ON={settings['FPN.FPN_ON']} and "
        f"RESNETS.RES5_DILATION={dilation} is not to be had here; expected "
        "FPN.add_fpn_ResNet50_conv5_body (or 101, 152) with FPN_ON, "
        "ResNet.add_ResNet50_conv4_body, or ResNet.add_ResNet50_conv5_body with RES5_DILATION 2"
    )


def model_rows(settings: Settings) -> Rows:
    """Everything below ``model``."""
    body = parse_body(settings)
    yield from _picture_rows(settings, body)
    yield from _backbone_rows(settings, body)
    if body.end == "fpn":
        yield from _neck_rows(settings)
    if settings["RETINANET.RETINANET_ON"]:
        yield from _retina_rows(settings)
        return
    if settings["MODEL.RPN_ONLY"] or settings["MODEL.FASTER_RCNN"]:
        yield from _rpn_rows(settings, body)
    if settings["MODEL.RPN_ONLY"]:
        return
    yield from _box_rows(settings, body)
    if settings["MODEL.MASK_ON"]:
        yield from _mask_rows(settings, body)
    if settings["MODEL.KEYPOINTS_ON"]:
        yield from _keypoint_rows(settings)


def _picture_rows(settings: Settings, body: Body) -> Rows:
    means = settings["PIXEL_MEANS"]
    while len(means) == 1:  # written as [[[b, g, r]]]
        means = means[0]
    yield "data_preprocessor.mean", list(means)
    yield "data_preprocessor.std", [1.0, 1.0, 1.0]
    yield "data_preprocessor.bgr_to_rgb", False
    stride = settings["FPN.COARSEST_STRIDE"] if body.end == "fpn" else 1
    yield "data_preprocessor.pad_size_divisor", stride


def backbone_weights(settings: Settings) -> str | None:
    """The file of ImageNet weights, None to start from random ones."""
    weights = settings["TRAIN.WEIGHTS"] or settings["RESNETS.IMAGENET_PRETRAINED_WEIGHTS"]
    if not settings["RESNETS.IMAGENET_PRETRAINED"] or not weights or is_detector(weights):
        return None
    return at_home(weights)


def is_detector(weights: str) -> bool:
    """Whether weights are those of a whole detector; Detectron calls them all model_final."""
    return weights.rsplit("/", 1)[-1].startswith("model_")


def at_home(address: str) -> str:
    """Detectron's old address on S3 as the one that is served today."""
    old = "https://s3-us-west-2.amazonaws.com/detectron/"
    return address.replace(old, "https://dl.fbaipublicfiles.com/detectron/")


def _backbone_rows(settings: Settings, body: Body) -> Rows:
    weights = backbone_weights(settings)
    init = None if weights is None else {"type": "Pretrained", "checkpoint": weights}
    style = "caffe" if settings["RESNETS.STRIDE_1X1"] else "pytorch"
    with_gn = "gn" in settings["RESNETS.TRANS_FUNC"]
    norm = GN if with_gn else {"type": "BN", "requires_grad": False}
    stages = ["backbone"] + (["roi_head.shared_head"] if _has_shared_head(settings, body) else [])
    groups = settings["RESNETS.NUM_GROUPS"]
    if groups > 1:
        if body.end == "c4":
            raise ValueError(
                f"{settings.source}: RESNETS.NUM_GROUPS={groups} with a C4 body is not to be had "
                "here"
            )
        yield "backbone.type", "ResNeXt"
        yield "backbone.groups", groups
        yield "backbone.base_width", settings["RESNETS.WIDTH_PER_GROUP"]
    for stage in stages:
        yield f"{stage}.depth", body.depth
        yield f"{stage}.style", style
        yield f"{stage}.norm_cfg", norm
        yield f"{stage}.norm_eval", not with_gn
        yield f"{stage}.init_cfg", init
    key = "RESNETS.FREEZE_AT" if "RESNETS.FREEZE_AT" in settings.given else "TRAIN.FREEZE_AT"
    scratch = weights is None and not is_detector(settings["TRAIN.WEIGHTS"])
    # frozen random weights would stay random
    num_stages = 3 if body.end == "c4" else 4
    yield "backbone.frozen_stages", -1 if scratch else min(settings[key] - 1, num_stages)


def _has_shared_head(settings: Settings, body: Body) -> bool:
    return body.end == "c4" and not settings["MODEL.RPN_ONLY"]


def _neck_rows(settings: Settings) -> Rows:
    first, last = settings["FPN.RPN_MIN_LEVEL"], settings["FPN.RPN_MAX_LEVEL"]
    expected = (3, 7) if settings["RETINANET.RETINANET_ON"] else (2, 6)
    regions = (settings["FPN.ROI_MIN_LEVEL"], settings["FPN.ROI_MAX_LEVEL"])
    if (first, last) != expected or regions != (2, 5):
        raise ValueError(
            f"{settings.source}: FPN.RPN_MIN_LEVEL={first}, RPN_MAX_LEVEL={last}, ROI_MIN_LEVEL="
            f"{regions[0]}, ROI_MAX_LEVEL={regions[1]} are not to be had here, expected "
            f"{expected[0]}, {expected[1]}, 2, 5"
        )
    yield "neck.out_channels", settings["FPN.DIM"]
    if settings["FPN.USE_GN"]:
        yield "neck.norm_cfg", GN
    if settings["RETINANET.RETINANET_ON"]:
        yield "neck.relu_before_extra_convs", True


def _rpn_rows(settings: Settings, body: Body) -> Rows:
    if body.end == "fpn":
        yield "rpn_head.in_channels", settings["FPN.DIM"]
        yield "rpn_head.feat_channels", settings["FPN.DIM"]
        stride = 2 ** settings["FPN.RPN_MIN_LEVEL"]
        scales, ratios = [settings["FPN.RPN_ANCHOR_START_SIZE"] / stride], "FPN.RPN_ASPECT_RATIOS"
    else:
        scales = [size / settings["RPN.STRIDE"] for size in settings["RPN.SIZES"]]
        ratios = "RPN.ASPECT_RATIOS"
    yield "rpn_head.anchor_generator.scales", [_whole(scale) for scale in scales]
    yield "rpn_head.anchor_generator.ratios", [float(ratio) for ratio in settings[ratios]]
    yield "rpn_head.anchor_generator.center_offset", ANCHOR_CENTER
    yield "rpn_head.loss_bbox.type", "SmoothL1Loss"
    yield "rpn_head.loss_bbox.beta", RPN_BETA
    yield "train_cfg.rpn.assigner.pos_iou_thr", settings["TRAIN.RPN_POSITIVE_OVERLAP"]
    yield "train_cfg.rpn.assigner.neg_iou_thr", settings["TRAIN.RPN_NEGATIVE_OVERLAP"]
    yield "train_cfg.rpn.sampler.num", settings["TRAIN.RPN_BATCH_SIZE_PER_IM"]
    yield "train_cfg.rpn.sampler.pos_fraction", settings["TRAIN.RPN_FG_FRACTION"]
    yield "train_cfg.rpn.allowed_border", settings["TRAIN.RPN_STRADDLE_THRESH"]
    parts = [("test_cfg.rpn", "TEST")]
    if not settings["MODEL.RPN_ONLY"]:
        parts.append(("train_cfg.rpn_proposal", "TRAIN"))
    for part, phase in parts:
        yield f"{part}.nms_pre", settings[f"{phase}.RPN_PRE_NMS_TOP_N"]
        yield f"{part}.max_per_img", settings[f"{phase}.RPN_POST_NMS_TOP_N"]
        yield f"{part}.nms.iou_threshold", settings[f"{phase}.RPN_NMS_THRESH"]


def _extractor_rows(settings: Settings, part: str, section: str, body: Body) -> Rows:
    method = settings[f"{section}.ROI_XFORM_METHOD"].removesuffix("F")
    if method not in ("RoIAlign", "RoIPool"):
        raise ValueError(
            f"{settings.source}: {section}.ROI_XFORM_METHOD={method!r} is not to be had here, "
            "expected RoIAlign or RoIPoolF"
        )
    layer = {"type": method, "output_size": settings[f"{section}.ROI_XFORM_RESOLUTION"]}
    if method == "RoIAlign":
        layer |= {
            "sampling_ratio": settings[f"{section}.ROI_XFORM_SAMPLING_RATIO"],
            "aligned": False,
        }
        yield f"{part}.roi_layer", layer
    else:
        yield f"{part}.roi_layer", Whole(layer)
    if body.end == "fpn":
        levels = settings["FPN.ROI_CANONICAL_LEVEL"] - settings["FPN.ROI_MIN_LEVEL"]
        finest = settings["FPN.ROI_CANONICAL_SCALE"] / 2**levels
        if finest != 56:
            yield f"{part}.finest_scale", _whole(finest)
        yield f"{part}.out_channels", settings["FPN.DIM"]


def _box_rows(settings: Settings, body: Body) -> Rows:
    yield from _extractor_rows(settings, "roi_head.bbox_roi_extractor", "FAST_RCNN", body)
    head = _last_name(settings["FAST_RCNN.ROI_BOX_HEAD"])
    expected = {
        "fpn": ("roi_2mlp_head", "roi_Xconv1fc_head", "roi_Xconv1fc_gn_head"),
        "c4": ("ResNet_roi_conv5_head",),
        "dc5": ("roi_2mlp_head",),
    }[body.end]
    if head not in expected:
        raise ValueError(
            f"{settings.source}: FAST_RCNN.ROI_BOX_HEAD={settings['FAST_RCNN.ROI_BOX_HEAD']!r} is "
            f"not to be had here behind such a backbone, expected {' or '.join(expected)}"
        )
    part = "roi_head.bbox_head"
    if head.startswith("roi_Xconv1fc"):
        yield f"{part}.type", "Shared4Conv1FCBBoxHead"
        if settings["FAST_RCNN.NUM_STACKED_CONVS"] != 4:
            yield f"{part}.num_shared_convs", settings["FAST_RCNN.NUM_STACKED_CONVS"]
        yield f"{part}.conv_out_channels", settings["FAST_RCNN.CONV_HEAD_DIM"]
        if head.endswith("gn_head"):
            yield f"{part}.norm_cfg", GN
    if head != "ResNet_roi_conv5_head":
        yield f"{part}.fc_out_channels", settings["FAST_RCNN.MLP_HEAD_DIM"]
        yield f"{part}.roi_feat_size", settings["FAST_RCNN.ROI_XFORM_RESOLUTION"]
    if body.end == "fpn":
        yield f"{part}.in_channels", settings["FPN.DIM"]
    yield from _class_rows(settings, part)
    yield f"{part}.reg_class_agnostic", settings["MODEL.CLS_AGNOSTIC_BBOX_REG"]
    stds = [1 / weight for weight in settings["MODEL.BBOX_REG_WEIGHTS"]]
    yield f"{part}.bbox_coder.target_stds", stds
    yield f"{part}.loss_bbox.type", "SmoothL1Loss"
    yield f"{part}.loss_bbox.beta", 1.0
    yield from _roi_sampling_rows(settings)
    yield from _detection_rows(settings, "test_cfg.rcnn")


def _class_rows(settings: Settings, part: str) -> Rows:
    """Detectron.pytorch takes the number from the data and leaves the key out: the base's then."""
    if settings["MODEL.NUM_CLASSES"] > 0:
        yield f"{part}.num_classes", settings["MODEL.NUM_CLASSES"] - 1


def _roi_sampling_rows(settings: Settings) -> Rows:
    low, high = settings["TRAIN.BG_THRESH_LO"], settings["TRAIN.BG_THRESH_HI"]
    part = "train_cfg.rcnn"
    yield f"{part}.assigner.pos_iou_thr", settings["TRAIN.FG_THRESH"]
    yield f"{part}.assigner.neg_iou_thr", (low, high) if low > 0 else high
    yield f"{part}.assigner.min_pos_iou", settings["TRAIN.FG_THRESH"]
    yield f"{part}.assigner.match_low_quality", False
    yield f"{part}.sampler.num", settings["TRAIN.BATCH_SIZE_PER_IM"]
    yield f"{part}.sampler.pos_fraction", settings["TRAIN.FG_FRACTION"]


def _detection_rows(settings: Settings, part: str) -> Rows:
    if settings["TEST.SOFT_NMS.ENABLED"]:
        nms = {
            "type": "soft_nms",
            "iou_threshold": settings["TEST.NMS"],
            "method": settings["TEST.SOFT_NMS.METHOD"],
            "sigma": settings["TEST.SOFT_NMS.SIGMA"],
            "min_score": 0.0001,
        }
        yield f"{part}.nms", nms
    else:
        yield f"{part}.nms.iou_threshold", settings["TEST.NMS"]
    yield f"{part}.max_per_img", settings["TEST.DETECTIONS_PER_IM"]
    if part == "test_cfg.rcnn":
        yield f"{part}.score_thr", settings["TEST.SCORE_THRESH"]


def _mask_rows(settings: Settings, body: Body) -> Rows:
    head = _last_name(settings["MRCNN.ROI_MASK_HEAD"]).removeprefix("mask_rcnn_fcn_head_")
    convs = {"v1up4convs": 4, "v1up4convs_gn": 4, "v1up": 2, "v0upshare": 0}
    if head not in convs or (body.end == "c4") != (head == "v0upshare"):
        raise ValueError(
            f"{settings.source}: MRCNN.ROI_MASK_HEAD={settings['MRCNN.ROI_MASK_HEAD']!r} is not to "
            "be had here behind such a backbone, expected mask_rcnn_fcn_head_"
            + ("v0upshare" if body.end == "c4" else "v1up4convs, _v1up4convs_gn or _v1up")
        )
    part = "roi_head.mask_head"
    yield "data_preprocessor.pad_mask", True
    if body.end == "fpn":
        yield from _extractor_rows(settings, "roi_head.mask_roi_extractor", "MRCNN", body)
        yield f"{part}.in_channels", settings["FPN.DIM"]
    yield f"{part}.num_convs", convs[head]
    yield f"{part}.conv_out_channels", settings["MRCNN.DIM_REDUCED"]
    yield from _class_rows(settings, part)
    if head.endswith("gn"):
        yield f"{part}.norm_cfg", GN
    if not settings["MRCNN.CLS_SPECIFIC_MASK"]:
        yield f"{part}.class_agnostic", True
    yield f"{part}.loss_mask.loss_weight", settings["MRCNN.WEIGHT_LOSS_MASK"]
    yield "train_cfg.rcnn.mask_size", settings["MRCNN.RESOLUTION"]
    yield "test_cfg.rcnn.mask_thr_binary", settings["MRCNN.THRESH_BINARIZE"]


def _keypoint_rows(settings: Settings) -> Rows:
    head = _last_name(settings["KRCNN.ROI_KEYPOINTS_HEAD"])
    if head != "roi_pose_head_v1convX":
        raise ValueError(
            f"{settings.source}: KRCNN.ROI_KEYPOINTS_HEAD={settings['KRCNN.ROI_KEYPOINTS_HEAD']!r} "
            "is not to be had here, expected keypoint_rcnn_heads.add_roi_pose_head_v1convX"
        )
    body = parse_body(settings)
    yield from _extractor_rows(settings, "roi_head.keypoint_roi_extractor", "KRCNN", body)
    part = "roi_head.keypoint_head"
    yield f"{part}.in_channels", settings["FPN.DIM"]
    yield f"{part}.num_keypoints", settings["KRCNN.NUM_KEYPOINTS"]
    yield f"{part}.num_convs", settings["KRCNN.NUM_STACKED_CONVS"]
    yield f"{part}.conv_out_channels", settings["KRCNN.CONV_HEAD_DIM"]
    if settings["KRCNN.CONV_HEAD_KERNEL"] != 3:
        yield f"{part}.conv_kernel_size", settings["KRCNN.CONV_HEAD_KERNEL"]
    if settings["KRCNN.UP_SCALE"] != 2:
        yield f"{part}.up_scale", max(settings["KRCNN.UP_SCALE"], 1)
    yield f"{part}.loss_keypoint.loss_weight", settings["KRCNN.LOSS_WEIGHT"]
    if not settings["KRCNN.NORMALIZE_BY_VISIBLE_KEYPOINTS"]:
        rois = settings["TRAIN.BATCH_SIZE_PER_IM"] * settings["TRAIN.FG_FRACTION"]
        per_image = rois * settings["KRCNN.NUM_KEYPOINTS"]
        yield f"{part}.loss_keypoints_per_img", _whole(per_image)


def _retina_rows(settings: Settings) -> Rows:
    get = {key.removeprefix("RETINANET."): value for key, value in settings.values.items()}
    head = "bbox_head"
    yield f"{head}.in_channels", settings["FPN.DIM"]
    yield f"{head}.feat_channels", settings["FPN.DIM"]
    yield from _class_rows(settings, head)
    yield f"{head}.stacked_convs", get["NUM_CONVS"]
    yield f"{head}.anchor_generator.center_offset", ANCHOR_CENTER
    yield f"{head}.anchor_generator.octave_base_scale", get["ANCHOR_SCALE"]
    yield f"{head}.anchor_generator.scales_per_octave", get["SCALES_PER_OCTAVE"]
    # ascending, whatever their order there: so does the importer put the weights' rows
    yield f"{head}.anchor_generator.ratios", sorted(float(ratio) for ratio in get["ASPECT_RATIOS"])
    yield f"{head}.loss_cls.gamma", get["LOSS_GAMMA"]
    yield f"{head}.loss_cls.alpha", get["LOSS_ALPHA"]
    yield f"{head}.loss_bbox.type", "SmoothL1Loss"
    yield f"{head}.loss_bbox.beta", get["BBOX_REG_BETA"]
    yield f"{head}.loss_bbox.loss_weight", get["BBOX_REG_WEIGHT"]
    yield "train_cfg.assigner.pos_iou_thr", get["POSITIVE_OVERLAP"]
    yield "train_cfg.assigner.neg_iou_thr", get["NEGATIVE_OVERLAP"]
    yield "test_cfg.nms_pre", get["PRE_NMS_TOP_N"]
    yield "test_cfg.score_thr", get["INFERENCE_TH"]
    yield from _detection_rows(settings, "test_cfg")


def _last_name(function: str) -> str:
    """The function's own name; Detectron.pytorch left out the ``add_``."""
    return function.rsplit(".", 1)[-1].removeprefix("add_")


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number
