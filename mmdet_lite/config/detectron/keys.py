"""The keys of Detectron's YAML files: their defaults, and which of them have a meaning here.

Source: Detectron's core/config.py (2018) and Detectron.pytorch's lib/core/config.py.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmdet_lite.ops.checks import nearest_name

# Keys that are translated, with the value they have where a file does not name them.
TRANSLATED: dict[str, Any] = {
    "MODEL.TYPE": "",
    "MODEL.CONV_BODY": "",
    "MODEL.NUM_CLASSES": -1,
    "MODEL.FASTER_RCNN": False,
    "MODEL.MASK_ON": False,
    "MODEL.KEYPOINTS_ON": False,
    "MODEL.RPN_ONLY": False,
    "MODEL.CLS_AGNOSTIC_BBOX_REG": False,
    "MODEL.BBOX_REG_WEIGHTS": (10.0, 10.0, 5.0, 5.0),
    "RETINANET.RETINANET_ON": False,
    "RETINANET.ASPECT_RATIOS": (0.5, 1.0, 2.0),
    "RETINANET.SCALES_PER_OCTAVE": 3,
    "RETINANET.ANCHOR_SCALE": 4,
    "RETINANET.NUM_CONVS": 4,
    "RETINANET.BBOX_REG_WEIGHT": 1.0,
    "RETINANET.BBOX_REG_BETA": 0.11,
    "RETINANET.PRE_NMS_TOP_N": 1000,
    "RETINANET.POSITIVE_OVERLAP": 0.5,
    "RETINANET.NEGATIVE_OVERLAP": 0.4,
    "RETINANET.LOSS_ALPHA": 0.25,
    "RETINANET.LOSS_GAMMA": 2.0,
    "RETINANET.INFERENCE_TH": 0.05,
    "SOLVER.BASE_LR": 0.001,
    "SOLVER.LR_POLICY": "step",
    "SOLVER.GAMMA": 0.1,
    "SOLVER.STEP_SIZE": 30000,
    "SOLVER.STEPS": (),
    "SOLVER.LRS": (),
    "SOLVER.MAX_ITER": 40000,
    "SOLVER.MOMENTUM": 0.9,
    "SOLVER.WEIGHT_DECAY": 0.0005,
    "SOLVER.WEIGHT_DECAY_GN": 0.0,
    "SOLVER.WARM_UP_ITERS": 500,
    "SOLVER.WARM_UP_FACTOR": 1 / 3,
    "SOLVER.WARM_UP_METHOD": "linear",
    "SOLVER.BIAS_DOUBLE_LR": True,
    "SOLVER.BIAS_WEIGHT_DECAY": False,
    "FAST_RCNN.ROI_BOX_HEAD": "",
    "FAST_RCNN.MLP_HEAD_DIM": 1024,
    "FAST_RCNN.CONV_HEAD_DIM": 256,
    "FAST_RCNN.NUM_STACKED_CONVS": 4,
    "FAST_RCNN.ROI_XFORM_METHOD": "RoIPoolF",
    "FAST_RCNN.ROI_XFORM_SAMPLING_RATIO": 0,
    "FAST_RCNN.ROI_XFORM_RESOLUTION": 14,
    "RPN.SIZES": (64, 128, 256, 512),
    "RPN.STRIDE": 16,
    "RPN.ASPECT_RATIOS": (0.5, 1, 2),
    "FPN.FPN_ON": False,
    "FPN.DIM": 256,
    "FPN.COARSEST_STRIDE": 32,
    "FPN.ROI_CANONICAL_SCALE": 224,
    "FPN.ROI_CANONICAL_LEVEL": 4,
    "FPN.ROI_MAX_LEVEL": 5,
    "FPN.ROI_MIN_LEVEL": 2,
    "FPN.RPN_MAX_LEVEL": 6,
    "FPN.RPN_MIN_LEVEL": 2,
    "FPN.RPN_ASPECT_RATIOS": (0.5, 1, 2),
    "FPN.RPN_ANCHOR_START_SIZE": 32,
    "FPN.USE_GN": False,
    "MRCNN.ROI_MASK_HEAD": "",
    "MRCNN.RESOLUTION": 14,
    "MRCNN.ROI_XFORM_METHOD": "RoIAlign",
    "MRCNN.ROI_XFORM_RESOLUTION": 7,
    "MRCNN.ROI_XFORM_SAMPLING_RATIO": 0,
    "MRCNN.DIM_REDUCED": 256,
    "MRCNN.CLS_SPECIFIC_MASK": True,
    "MRCNN.WEIGHT_LOSS_MASK": 1.0,
    "MRCNN.THRESH_BINARIZE": 0.5,
    "KRCNN.ROI_KEYPOINTS_HEAD": "",
    "KRCNN.UP_SCALE": -1,
    "KRCNN.NUM_KEYPOINTS": -1,
    "KRCNN.NUM_STACKED_CONVS": 8,
    "KRCNN.CONV_HEAD_DIM": 256,
    "KRCNN.CONV_HEAD_KERNEL": 3,
    "KRCNN.ROI_XFORM_METHOD": "RoIAlign",
    "KRCNN.ROI_XFORM_RESOLUTION": 7,
    "KRCNN.ROI_XFORM_SAMPLING_RATIO": 0,
    "KRCNN.LOSS_WEIGHT": 1.0,
    "KRCNN.NORMALIZE_BY_VISIBLE_KEYPOINTS": True,
    "RESNETS.NUM_GROUPS": 1,
    "RESNETS.WIDTH_PER_GROUP": 64,
    "RESNETS.STRIDE_1X1": True,
    "RESNETS.TRANS_FUNC": "bottleneck_transformation",
    "RESNETS.RES5_DILATION": 1,
    "RESNETS.FREEZE_AT": 2,
    "RESNETS.IMAGENET_PRETRAINED": True,
    "RESNETS.IMAGENET_PRETRAINED_WEIGHTS": "",
    "TRAIN.WEIGHTS": "",
    "TRAIN.DATASETS": (),
    "TRAIN.SCALES": (600,),
    "TRAIN.MAX_SIZE": 1000,
    "TRAIN.IMS_PER_BATCH": 2,
    "TRAIN.BATCH_SIZE_PER_IM": 64,
    "TRAIN.FG_FRACTION": 0.25,
    "TRAIN.FG_THRESH": 0.5,
    "TRAIN.BG_THRESH_HI": 0.5,
    "TRAIN.BG_THRESH_LO": 0.0,
    "TRAIN.USE_FLIPPED": True,
    "TRAIN.SNAPSHOT_ITERS": 20000,
    "TRAIN.ASPECT_GROUPING": True,
    "TRAIN.ASPECT_CROPPING": False,
    "TRAIN.ASPECT_HI": 2,
    "TRAIN.ASPECT_LO": 0.5,
    "TRAIN.RPN_POSITIVE_OVERLAP": 0.7,
    "TRAIN.RPN_NEGATIVE_OVERLAP": 0.3,
    "TRAIN.RPN_FG_FRACTION": 0.5,
    "TRAIN.RPN_BATCH_SIZE_PER_IM": 256,
    "TRAIN.RPN_NMS_THRESH": 0.7,
    "TRAIN.RPN_PRE_NMS_TOP_N": 12000,
    "TRAIN.RPN_POST_NMS_TOP_N": 2000,
    "TRAIN.RPN_STRADDLE_THRESH": 0,
    "TRAIN.FREEZE_AT": 2,
    "TEST.DATASETS": (),
    "TEST.SCALE": 600,
    "TEST.MAX_SIZE": 1000,
    "TEST.NMS": 0.3,
    "TEST.RPN_NMS_THRESH": 0.7,
    "TEST.RPN_PRE_NMS_TOP_N": 12000,
    "TEST.RPN_POST_NMS_TOP_N": 2000,
    "TEST.DETECTIONS_PER_IM": 100,
    "TEST.SCORE_THRESH": 0.05,
    "TEST.SOFT_NMS.ENABLED": False,
    "TEST.SOFT_NMS.METHOD": "linear",
    "TEST.SOFT_NMS.SIGMA": 0.5,
    "NUM_GPUS": 1,
    "PIXEL_MEANS": (102.9801, 115.9465, 122.7717),
}

# Keys of which only this value is what the program here does too.
FIXED: dict[str, Any] = {
    "FPN.ZERO_INIT_LATERAL": False,
    "MRCNN.DILATION": 1,
    "MRCNN.UPSAMPLE_RATIO": 1,
    "MRCNN.USE_FC_OUTPUT": False,
    "KRCNN.USE_DECONV": False,
    "KRCNN.USE_DECONV_OUTPUT": True,
    "KRCNN.DILATION": 1,
    "KRCNN.DECONV_KERNEL": 4,
    "KRCNN.NMS_OKS": False,
    "KRCNN.KEYPOINT_CONFIDENCE": "bbox",
    "KRCNN.INFERENCE_MIN_SIZE": 0,
    "RETINANET.SHARE_CLS_BBOX_TOWER": False,
    "RETINANET.CLASS_SPECIFIC_BBOX": False,
    "RETINANET.SOFTMAX": False,
    "RETINANET.PRIOR_PROB": 0.01,
    "RPN.OUT_DIM_AS_IN_DIM": True,
    "RPN.CLS_ACTIVATION": "sigmoid",
    "SOLVER.TYPE": "SGD",
    "GROUP_NORM.DIM_PER_GP": -1,
    "GROUP_NORM.NUM_GROUPS": 32,
    "GROUP_NORM.EPSILON": 1e-5,
    "TRAIN.BBOX_THRESH": 0.5,
    "TRAIN.RPN_MIN_SIZE": 0,
    "TRAIN.CROWD_FILTER_THRESH": 0.7,
    "TRAIN.GT_MIN_AREA": -1,
    "TRAIN.FREEZE_CONV_BODY": False,
    "TRAIN.BBOX_NORMALIZE_TARGETS": True,
    "TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED": False,
    "TEST.BBOX_REG": True,
    "TEST.RPN_MIN_SIZE": 0,
    "TEST.BBOX_AUG.ENABLED": False,
    "TEST.MASK_AUG.ENABLED": False,
    "TEST.KPS_AUG.ENABLED": False,
    "TEST.BBOX_VOTE.ENABLED": False,
}
# Defaults there of such keys, where they differ from that value or others look at them.
DEFAULTS_OF_FIXED = {
    "MRCNN.DILATION": 2,
    "KRCNN.USE_DECONV_OUTPUT": False,
    "FPN.EXTRA_CONV_LEVELS": False,
}
INSTEAD: dict[str, str] = {
    "TRAIN.PROPOSAL_FILES": "set train_dataloader.dataset.proposal_file to proposals of an RPN run",
    "TEST.PROPOSAL_FILES": "set val_dataloader.dataset.proposal_file to proposals of an RPN run",
    "TEST.PROPOSAL_LIMIT": "set num_max_proposals of LoadProposals in test_pipeline",
    "TEST.WEIGHTS": "give the checkpoint to tools/test.py",
    "TEST.BBOX_AUG.ENABLED": "test with --tta",
    "TEST.MASK_AUG.ENABLED": "test with --tta",
    "TEST.KPS_AUG.ENABLED": "test with --tta",
}
# Keys that change nothing in what is learned or found (threads, output, old spellings), and those
# that follow from others. A name that ends in a dot stands for all below it.
WITHOUT_EFFECT = (
    "CLUSTER.", "CUDA", "DATA_DIR", "DATA_LOADER.", "DEDUP_BOXES", "DOWNLOAD_CACHE", "EPS",
    "BBOX_XFORM_CLIP", "EXPECTED_RESULTS", "EXPECTED_RESULTS_ATOL", "EXPECTED_RESULTS_EMAIL",
    "EXPECTED_RESULTS_RTOL", "EXPECTED_RESULTS_SIGMA_TOL", "FINAL_MSG", "MATLAB", "MEMONGER",
    "MEMONGER_SHARE_ACTIVATIONS", "OUTPUT_DIR", "POOLING_MODE", "POOLING_SIZE", "RNG_SEED",
    "CROP_RESIZE_WITH_MAX_POOL", "ROOT_DIR", "ROOT_GPU_ID", "TENSORBOARD", "USE_GPU_NMS",
    "USE_NCCL", "VIS", "VIS_TH", "FPN.EXTRA_CONV_LEVELS", "FPN.INPLACE_LATERAL",
    "FPN.MULTILEVEL_ROIS", "FPN.MULTILEVEL_RPN", "KRCNN.CONV_INIT", "KRCNN.DECONV_DIM",
    "KRCNN.HEATMAP_SIZE",
    "KRCNN.MIN_KEYPOINT_COUNT_FOR_VALID_MINIBATCH", "MODEL.DILATION", "MODEL.EXECUTION_TYPE",
    "MODEL.LOAD_IMAGENET_PRETRAINED_WEIGHTS", "MODEL.SHARE_RES5", "MRCNN.CONV_INIT",
    "MRCNN.MEMORY_EFFICIENT_LOSS", "MODEL.UNSUPERVISED_POSE", "RESNETS.STEM_FUNC",
    "RESNETS.SHORTCUT_FUNC", "RESNETS.USE_GN", "RFCN.", "RPN.ON", "RPN.OUT_DIM", "RPN.RPN_ON",
    "SOLVER.LOG_LR_CHANGE_THRESHOLD", "SOLVER.SCALE_MOMENTUM", "SOLVER.SCALE_MOMENTUM_THRESHOLD",
    "TEST.BBOX_AUG.", "TEST.MASK_AUG.", "TEST.KPS_AUG.", "TEST.BBOX_VOTE.", "TEST.COMPETITION_MODE",
    "TEST.FORCE_JSON_DATASET_EVAL", "TEST.NUM_TEST_IMAGES", "TEST.PRECOMPUTED_PROPOSALS",
    "TRAIN.AUTO_RESUME", "TRAIN.BBOX_INSIDE_WEIGHTS",
    "TRAIN.BBOX_NORMALIZE_MEANS", "TRAIN.BBOX_NORMALIZE_STDS", "TRAIN.DROPOUT", "TRAIN.TRIM_HEIGHT",
    "TRAIN.TRIM_WIDTH", "TRAIN.COPY_WEIGHTS",
)  # fmt: skip
RENAMED = {
    "MODEL.PS_GRID_SIZE": "RFCN.PS_GRID_SIZE",
    "MODEL.ROI_HEAD": "FAST_RCNN.ROI_BOX_HEAD",
    "MRCNN.MASK_HEAD_NAME": "MRCNN.ROI_MASK_HEAD",
    "TEST.DATASET": "TEST.DATASETS",
    "TEST.PROPOSAL_FILE": "TEST.PROPOSAL_FILES",
    "TEST.SCALES": "TEST.SCALE",
    "TRAIN.DATASET": "TRAIN.DATASETS",
    "TRAIN.PROPOSAL_FILE": "TRAIN.PROPOSAL_FILES",
}


@dataclass(frozen=True)
class Settings:
    """A YAML file, completed with defaults.

    ``values`` has every key of ``TRANSLATED``; ``given`` names those that the file sets.
    ``problems`` are lines about keys of the file that nothing here answers to.
    """

    source: str
    values: Mapping[str, Any]
    given: frozenset[str]
    problems: tuple[str, ...]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def read_settings(path: str | Path) -> Settings:
    """Read a YAML file of Detectron or Detectron.pytorch.

    Raises:
        FileNotFoundError: if it is missing.
        ValueError: if it is no YAML, or a key has a value of the wrong kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no YAML file {path}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML file: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected keys such as MODEL and SOLVER, got {content!r:.80}")
    if "_BASE_" in content or "VERSION" in content:
        raise ValueError(
            f"{path} is a file of Detectron2 ({'_BASE_' if '_BASE_' in content else 'VERSION'}); "
            "expected one of Detectron or Detectron.pytorch. Its models have names in the zoo: "
            "mmdet-lite zoo Detectron2"
        )
    values, problems = dict(TRANSLATED), []
    given, flat = set(), _flat(content)
    for written, value in flat.items():
        key = RENAMED.get(written, written)
        if key in TRANSLATED:
            values[key] = _typed(key, value, path)
            given.add(key)
        elif problem := _problem(key, value):
            problems.append(f"{path}: {written} = {value!r}: {problem}")
    problems += [f"{path}: {problem}" for problem in _joint_problems(values, flat)]
    return Settings(str(path), values, frozenset(given), tuple(problems))


def _joint_problems(values: Mapping[str, Any], flat: Mapping[str, Any]) -> Iterator[str]:
    """What is not to be had here of keys that others bring to bear, named or left at a default."""
    get = {**DEFAULTS_OF_FIXED, **flat, **values}
    heads = {
        "MRCNN.DILATION": get["MODEL.MASK_ON"] and "_v1up" in get["MRCNN.ROI_MASK_HEAD"],
        "KRCNN.USE_DECONV_OUTPUT": get["MODEL.KEYPOINTS_ON"],
    }
    for key, on in heads.items():
        if on and key not in flat:
            yield f"{key} = {get[key]!r}, the default: {_problem(key, get[key])}"
    if get["FPN.EXTRA_CONV_LEVELS"] and not get["RETINANET.RETINANET_ON"]:
        yield "FPN.EXTRA_CONV_LEVELS = True: not translated, here only RetinaNet has such levels"
    width, size = get["RESNETS.WIDTH_PER_GROUP"], get["FAST_RCNN.ROI_XFORM_RESOLUTION"]
    if get["RESNETS.NUM_GROUPS"] == 1 and width != 64:
        yield f"RESNETS.WIDTH_PER_GROUP = {width}: not translated, with one group it is always 64"
    if get["FAST_RCNN.ROI_BOX_HEAD"].endswith("ResNet_roi_conv5_head") and size != 14:
        yield (
            f"FAST_RCNN.ROI_XFORM_RESOLUTION = {size}: not translated, the stage behind it "
            "strides by 2 here, as it does there at 14"
        )


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _decoded(value)
    return flat


def _decoded(value: Any) -> Any:
    """YAML has no tuples: ``(800,)`` and ``1e-4`` come as strings and are Python there."""
    if isinstance(value, str):
        try:
            return ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    return value


def _typed(key: str, value: Any, path: Path) -> Any:
    """The value as the kind of thing that the key's default is."""
    default = TRANSLATED[key]
    if isinstance(default, tuple) and isinstance(value, str):
        value = tuple(value.split(":"))  # TRAIN.DATASET of 2017
    if key == "TEST.SCALE" and isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if value is None and isinstance(default, str):
        return ""
    if isinstance(default, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, int | float):
        fits = isinstance(value, int | float)
    else:
        fits = isinstance(value, type(default))
    if not fits:
        kind = "list" if isinstance(default, tuple) else type(default).__name__
        raise ValueError(f"{path}: {key} must be a {kind} like {default!r}, got {value!r}")
    return value


def _problem(key: str, value: Any) -> str | None:
    """Why a key of the file has no meaning here, or None where it needs none."""
    if key in FIXED:
        if value == FIXED[key]:
            return None
        return f"not translated, here it is always {FIXED[key]!r}" + _instead(key)
    if key in INSTEAD and key not in WITHOUT_EFFECT:
        return "not translated" + _instead(key)
    if any(key == name or (name.endswith(".") and key.startswith(name)) for name in WITHOUT_EFFECT):
        return None
    # keys of a section are alike by its name already
    nearest = nearest_name(key, [*TRANSLATED, *FIXED], cutoff=0.75)
    return "not a key of Detectron" + (f", did you mean {nearest}?" if nearest else "")


def _instead(key: str) -> str:
    return f" ({INSTEAD[key]})" if INSTEAD.get(key) else ""
