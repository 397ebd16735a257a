"""A trained detector in two lines: build it, give it pictures."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.logging import MMLogger, print_log
from mmengine.registry import init_default_scope

from mmdet_lite.apis.pictures import Picture
from mmdet_lite.checkpoint import (
    check_family,
    config_by_name,
    load_checkpoint_file,
    load_weights,
    may_be_model_name,
    trained_classes,
)
from mmdet_lite.config import fill_num_classes, load_config
from mmdet_lite.config.scope import translate_scope
from mmdet_lite.datasets import (
    KEYPOINT_KEYS,
    coco_metainfo,
    complete_keypoint_metainfo,
    dataset_classes,
    generate_palette,
)
from mmdet_lite.models import BaseDetector
from mmdet_lite.ops.dataset_parts import innermost_datasets, walk_datasets
from mmdet_lite.registry import MODELS, TRANSFORMS
from mmdet_lite.structures import DetDataSample


def init_detector(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    palette: Sequence[tuple[int, int, int]] | str = "none",
    device: str | torch.device | None = None,
    cfg_options: Mapping[str, Any] | None = None,
) -> BaseDetector:
    """Build a detector from a config and load its weights.

    ``config`` may be a name of the model zoo (``mask-rcnn_r50_fpn_1x_coco``); without a checkpoint
    the published weights of that name are fetched. ``checkpoint`` may be such a name too.

    Class names come from the checkpoint, else from the config's test data (those of COCO's own
    files are known without them). ``palette``: colours of
    the classes; 'none' takes the checkpoint's, or distinct ones. ``device``: default is the GPU
    where there is one. The model is in eval mode and has ``cfg`` and ``dataset_meta``.

    Raises:
        FileNotFoundError: config or checkpoint does not exist.
        ValueError: class names are nowhere to be found, or contradict the config; the config has
            no test data, whose pipeline prepares the pictures; there is no such device.
    """
    device = _usable_device(device)
    if isinstance(config, Config):
        cfg = copy.deepcopy(config)
        if cfg_options:
            cfg.merge_from_dict(dict(cfg_options))
        translate_scope(cfg)
    else:
        if checkpoint is None and may_be_model_name(str(config)):
            checkpoint = str(config)
        cfg = load_config(config_by_name(str(config)), dict(cfg_options or {}))
    if cfg.get("test_dataloader") is None:
        raise ValueError(
            f"{config} has no test_dataloader: its pipeline says how pictures are prepared"
        )
    init_default_scope(cfg.get("default_scope", "mmdet_lite"))
    weights = None if checkpoint is None else load_checkpoint_file(str(checkpoint))
    if weights is not None:
        check_family(weights, cfg.model, str(checkpoint))
    meta = _dataset_meta(cfg, weights, palette)
    source = "the test data"
    if weights and trained_classes(weights):
        source = f"{checkpoint}, trained on {_shortened(meta['classes'])}"
    cfg = fill_num_classes(cfg, len(meta["classes"]), source)
    cfg.model.backbone.init_cfg = None  # the checkpoint, not the pretrained backbone, counts
    model: BaseDetector = MODELS.build(cfg.model)
    if weights is None:
        with _only_warnings():  # mmengine logs three lines for each parameter
            model.init_weights()
    else:
        load_weights(model, weights, str(checkpoint), strict=True)
    model.cfg = cfg
    model.dataset_meta = meta
    return model.to(device).eval()


@overload
def inference_detector(
    model: BaseDetector, imgs: Picture, test_pipeline: Compose | None = None
) -> DetDataSample: ...


@overload
def inference_detector(
    model: BaseDetector, imgs: Sequence[Picture], test_pipeline: Compose | None = None
) -> list[DetDataSample]: ...


def inference_detector(
    model: BaseDetector,
    imgs: Picture | Sequence[Picture],
    test_pipeline: Compose | None = None,
) -> DetDataSample | list[DetDataSample]:
    """Detect in one picture or in each of several.

    ``imgs``: file names, or arrays (H, W, 3) uint8 in BGR order as cv2 reads them (for a model of
    one channel also (H, W), of many channels (H, W, C) in the type of its pictures). Returns one
    data sample for one picture, a list for a sequence: ``pred_instances`` has bboxes, scores,
    labels and, as the model has heads, masks (RLE dicts of the picture's size), keypoints
    (D, J, 2) and keypoint_scores (D, J), in pixels of the picture. An empty sequence gives [].

    Raises:
        FileNotFoundError, ValueError: a file is missing or is no picture, an array is not
            (H, W, 3) uint8.
        TypeError: ``imgs`` is neither pictures nor a sequence of them.
    """
    if isinstance(imgs, str | Path | np.ndarray):
        return inference_detector(model, [imgs], test_pipeline)[0]
    if not isinstance(imgs, Sequence):
        raise TypeError(
            "imgs must be a file name, an array (H, W, 3) uint8 or a list of these, got "
            f"{type(imgs).__name__}"
        )
    results = []
    for found in detect_each(model, imgs, test_pipeline=test_pipeline):
        if isinstance(found, Exception):
            raise found
        results.append(found)
    return results


def detect_each(
    model: BaseDetector,
    pictures: Sequence[Picture],
    batch_size: int = 1,
    test_pipeline: Compose | None = None,
) -> Iterator[DetDataSample | ValueError | FileNotFoundError]:
    """Give each picture's data sample, or the error of one that cannot be read, in their order.

    ``batch_size`` pictures go through the network together. See ``inference_detector``.

    Raises:
        ValueError: at once, if the config's test pipeline needs more than pictures.
    """
    pipeline = test_pipeline or picture_pipeline(model.cfg)
    in_colour = _loads_colours(_test_steps(model.cfg)[0])
    return _detect_in_batches(model, pictures, batch_size, pipeline, in_colour)


def _detect_in_batches(
    model: BaseDetector,
    pictures: Sequence[Picture],
    batch_size: int,
    pipeline: Compose,
    in_colour: bool,
) -> Iterator[DetDataSample | ValueError | FileNotFoundError]:
    for start in range(0, len(pictures), batch_size):
        loaded: list[dict[str, Any] | ValueError | FileNotFoundError] = []
        for i, picture in enumerate(pictures[start : start + batch_size], start):
            named = (
                {"img": picture} if isinstance(picture, np.ndarray) else {"img_path": str(picture)}
            )
            try:
                _check_picture(picture, i, in_colour)
                loaded.append(pipeline({**named, "img_id": i}))
            except (FileNotFoundError, ValueError) as error:
                loaded.append(error)
        packed = [one for one in loaded if isinstance(one, dict)]
        with torch.no_grad():
            samples = iter(model.test_step(pseudo_collate(packed)) if packed else [])
        for one in loaded:
            yield next(samples) if isinstance(one, dict) else one


def picture_pipeline(cfg: Config) -> Compose:
    """The config's test pipeline for pictures without annotations, from file or from memory."""
    steps = _test_steps(cfg)
    # built by our registry, so that names mean our transforms whatever scope is current
    rest = Compose([TRANSFORMS.build(step) for step in steps[1:]])
    load_file = TRANSFORMS.build(steps[0])
    kept = {} if _loads_colours(steps[0]) else {"color_type": "unchanged"}
    load_array = TRANSFORMS.build({**kept, **steps[0], "type": "LoadImageFromNDArray"})

    def load(results: dict[str, Any]) -> Any:
        return (load_array if "img" in results else load_file)(results)

    return Compose([load, rest])


def _test_steps(cfg: Config) -> list[Any]:
    """The transforms of the test pipeline, those of annotations left out."""
    datasets = walk_datasets(cfg.test_dataloader.dataset)
    pipeline = next((one["pipeline"] for _, one in datasets if one.get("pipeline")), None)
    if pipeline is None:
        raise ValueError("test_dataloader.dataset has no pipeline: how are pictures to be read?")
    if any(step["type"] == "LoadProposals" for step in pipeline):
        raise ValueError(
            "this detector takes its proposals from a file (LoadProposals in the test pipeline), "
            "pictures alone are not enough: evaluate it with tools/test.py and a proposal_file, or "
            "take a config with an RPN, such as those of configs/faster_rcnn"
        )
    return [step for step in pipeline if step["type"] != "LoadAnnotations"]


def _loads_colours(step: Mapping[str, Any]) -> bool:
    """Whether a loading transform gives three channels of 8 bits."""
    default = "unchanged" if step["type"] == "LoadMultiChannelImageFromFiles" else "color"
    return str(step.get("color_type", default)).startswith("color")


@contextmanager
def _only_warnings() -> Iterator[None]:
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _usable_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, the GPU by default; ValueError with what there is if it is absent."""
    gpus = torch.cuda.device_count()
    try:
        chosen = torch.device(device or ("cuda" if gpus else "cpu"))
    except RuntimeError as error:
        raise ValueError(f"device {device!r}: expected 'cpu', 'cuda' or 'cuda:1'") from error
    if chosen.type == "cuda" and (chosen.index or 0) >= gpus:
        raise ValueError(f"device {device!r}: torch sees {gpus} GPUs here; use device='cpu'")
    return chosen


def _check_picture(picture: Picture, i: int, in_colour: bool) -> None:
    """Stop at what the pipeline would misread or fail on late."""
    if isinstance(picture, np.ndarray):
        if in_colour and picture.dtype != np.uint8:
            raise ValueError(f"picture {i}: expected uint8 from 0 to 255, got {picture.dtype}")
        if (in_colour and picture.ndim != 3) or 0 in picture.shape:
            raise ValueError(
                f"picture {i}: expected an array (H, W, 3) in BGR order, got {picture.shape}; "
                "cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) makes one of a grey picture"
            )
    elif not isinstance(picture, str | Path):
        raise TypeError(f"picture {i}: expected a file name or an array, got {picture!r:.80}")
    elif not Path(picture).is_file():
        raise FileNotFoundError(f"picture {i}: there is no file {str(picture)!r}")


def _shortened(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _dataset_meta(
    cfg: Config,
    checkpoint: Mapping[str, Any] | None,
    palette: Sequence[tuple[int, int, int]] | str,
) -> dict[str, Any]:
    """Class names, palette, and what is known of joints."""
    dataset = next(innermost_datasets(cfg.test_dataloader.dataset))
    known = coco_metainfo(dataset.get("ann_file") or "") or {}
    stored = ((checkpoint or {}).get("meta") or {}).get("dataset_meta") or {}
    classes = trained_classes(checkpoint) if checkpoint else None
    if classes is None:
        classes = _classes_of_data(cfg, known)
    if known.get("classes") != classes:
        known = {}
    joints = _joints(stored, dataset.get("metainfo") or {}, known)
    if not isinstance(palette, str):
        return {"classes": classes, "palette": list(palette), **joints}
    if palette not in ("none", "random"):
        raise ValueError(
            f"palette must be a list of (r, g, b), 'none' or 'random', got {palette!r}"
        )
    kept = stored.get("palette") if palette == "none" else None
    return {"classes": classes, "palette": kept or generate_palette(len(classes)), **joints}


def _classes_of_data(cfg: Config, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Class names of the config's test data, or of COCO where that file is not here."""
    try:
        return dataset_classes(cfg.test_dataloader.dataset)
    except FileNotFoundError as error:
        if known:
            print_log(
                f"the class names are those of COCO, whose file the config names ({error})",
                logger="current",
            )
            return tuple(known["classes"])
        raise ValueError(
            "class names are neither in the checkpoint nor in reach of the config; name them"
            " with cfg_options={'test_dataloader.dataset.metainfo': dict(classes=(...,))}."
            f" {error}"
        ) from error


def _joints(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """What the first of the sources that names joints says of them."""
    for source in sources:
        if source.get("keypoint_names"):
            given = {key: source[key] for key in KEYPOINT_KEYS if source.get(key) is not None}
            return complete_keypoint_metainfo(given, [], "metainfo")
    return {}
