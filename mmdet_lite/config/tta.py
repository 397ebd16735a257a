"""Test-time augmentation: a config turned into one that tests on several views of each image."""

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmdet_lite.ops.dataset_parts import innermost_datasets, walk_datasets

FLIP_KEYS = ("flip", "flip_direction", "flip_indices")
DEFAULT_NMS = {"type": "nms", "iou_threshold": 0.5}
# steps from which on a test pipeline no longer changes the image
FINAL_STEPS = ("LoadAnnotations", "PackDetInputs")


def with_test_time_augmentation(cfg: Config) -> tuple[Config, list[str]]:
    """A copy of ``cfg`` whose test run merges the predictions of several views.

    ``tta_model`` and ``tta_pipeline`` of the config are used as MMDetection 3 does. Without
    ``tta_model`` the merged boxes go through the detector's own NMS; without ``tta_pipeline`` the
    test pipeline is used as it is and mirrored.

    Returns:
        The copy, and what was not in the config and is a default therefore, for the log.

    Raises:
        ValueError: the config has no test pipeline, or one that does not end with PackDetInputs.
    """
    notes = []
    tta_cfg = copy.deepcopy(cfg)
    holder = _pipeline_holder(tta_cfg)
    if not cfg.get("tta_model"):
        tta_cfg.tta_model = {"type": "DetTTAModel", "tta_cfg": _own_nms(cfg.model)}
        notes.append(f"tta_model is not in the config, taken: tta_cfg={_own_nms(cfg.model)}")
    if not cfg.get("tta_pipeline"):
        tta_cfg.tta_pipeline = flipped_pipeline(holder["pipeline"])
        notes.append("tta_pipeline is not in the config, taken: the test pipeline, also mirrored")
    tta_cfg.model = {**tta_cfg.tta_model, "module": tta_cfg.model}
    holder["pipeline"] = tta_cfg.tta_pipeline
    return tta_cfg, notes


def flipped_pipeline(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A test pipeline that gives the image as it is and mirrored; the argument is unchanged.

    Annotations stay in pixels of the original image: the flip comes before they are loaded.

    Raises:
        ValueError: if the pipeline does not end with PackDetInputs.
    """
    if not pipeline or pipeline[-1]["type"] != "PackDetInputs":
        raise ValueError(
            "test-time augmentation: the test pipeline must end with PackDetInputs; give the "
            "config a tta_pipeline of its own"
        )
    types = [step["type"] for step in pipeline]
    cut = min(types.index(kind) for kind in FINAL_STEPS if kind in types)
    if "Resize" in types[cut:]:  # annotations come along with the image
        cut = len(pipeline) - 1
    flips: list[dict[str, Any]] = [{"type": "RandomFlip", "prob": p} for p in (0.0, 1.0)]
    if "LoadProposals" in types:
        flips = [{"type": "ProposalBroadcaster", "transforms": [flip]} for flip in flips]
    final = [copy.deepcopy(dict(step)) for step in pipeline[cut:]]
    if "meta_keys" in final[-1]:
        keys = tuple(final[-1]["meta_keys"])
        final[-1]["meta_keys"] = keys + tuple(key for key in FLIP_KEYS if key not in keys)
    views = {"type": "TestTimeAug", "transforms": [flips, *([step] for step in final)]}
    return [*copy.deepcopy(pipeline[:cut]), views]


def _own_nms(model: Mapping[str, Any]) -> dict[str, Any]:
    """NMS and number of detections that the detector itself is tested with."""
    test_cfg = model.get("test_cfg") or {}
    own = test_cfg.get("rcnn") or test_cfg.get("rpn") or test_cfg
    return {"nms": own.get("nms", DEFAULT_NMS), "max_per_img": own.get("max_per_img", 100)}


def _pipeline_holder(cfg: Config) -> Any:
    """The data set of the test loader that has the pipeline, inside of its wrappers."""
    dataset = (cfg.get("test_dataloader") or {}).get("dataset")
    holders = [one for _, one in walk_datasets(dataset) if "pipeline" in one]
    if not holders or len(list(innermost_datasets(dataset))) > 1:
        raise ValueError(
            "test-time augmentation needs test_dataloader.dataset.pipeline (one data set, not a "
            "list of them)"
        )
    return holders[0]
