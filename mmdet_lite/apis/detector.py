"""A trained detector in two lines: build it, give it pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from numpy.typing import NDArray

from mmdet_lite.checkpoint import load_checkpoint_file, load_state_dict, state_dict_of
from mmdet_lite.config import fill_num_classes, load_config
from mmdet_lite.datasets import dataset_classes, generate_palette
from mmdet_lite.models import BaseDetector
from mmdet_lite.registry import MODELS
from mmdet_lite.structures import DetDataSample

Picture = str | Path | NDArray[np.uint8]


def init_detector(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    palette: Sequence[tuple[int, int, int]] | str = "none",
    device: str | torch.device | None = None,
    cfg_options: Mapping[str, Any] | None = None,
) -> BaseDetector:
    """Build a detector from a config and load its weights.

    Class names come from the checkpoint, else from the config's test data. ``palette``: colours of
    the classes; 'none' takes the checkpoint's, or distinct ones. ``device``: default is the GPU
    where there is one. The model is in eval mode and has ``cfg`` and ``dataset_meta``.

    Raises:
        FileNotFoundError: config or checkpoint does not exist.
        ValueError: class names are nowhere to be found, or contradict the config; the config has
            no test data, whose pipeline prepares the pictures; there is no such device.
    """
    device = _usable_device(device)
    if isinstance(config, Config):
        cfg = config.copy()
        if cfg_options:
            cfg.merge_from_dict(dict(cfg_options))
    else:
        cfg = load_config(str(config), dict(cfg_options or {}))
    if cfg.get("test_dataloader") is None:
        raise ValueError(
            f"{config} has no test_dataloader: its pipeline says how pictures are prepared"
        )
    init_default_scope(cfg.get("default_scope", "mmdet_lite"))
    weights = None if checkpoint is None else load_checkpoint_file(str(checkpoint))
    meta = _dataset_meta(cfg, weights, palette)
    source = "the test data"
    if weights and _trained_classes(weights):
        source = f"{checkpoint}, trained on {_shortened(meta['classes'])}"
    cfg = fill_num_classes(cfg, len(meta["classes"]), source)
    cfg.model.backbone.init_cfg = None  # the checkpoint, not the pretrained backbone, counts
    model: BaseDetector = MODELS.build(cfg.model)
    if weights is None:
        model.init_weights()
    else:
        load_state_dict(model, state_dict_of(weights), str(checkpoint), strict=True)
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

    ``imgs``: file names, or arrays (H, W, 3) uint8 in BGR order as cv2 reads them. Returns one data
    sample for one picture, a list for a sequence: ``pred_instances`` has bboxes, scores, labels and
    masks (RLE dicts of the picture's size) in pixels of the picture. An empty sequence gives [].

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
    pipeline = test_pipeline or picture_pipeline(model.cfg)
    results = []
    for i, picture in enumerate(imgs):
        _check_picture(picture, i)
        name = {"img": picture} if isinstance(picture, np.ndarray) else {"img_path": str(picture)}
        packed = pipeline({**name, "img_id": i})
        with torch.no_grad():
            results += model.test_step(pseudo_collate([packed]))
    return results


def picture_pipeline(cfg: Config) -> Compose:
    """The config's test pipeline for pictures without annotations, from file or from memory."""
    dataset = cfg.test_dataloader.dataset
    while "pipeline" not in dataset and "dataset" in dataset:
        dataset = dataset.dataset
    steps = [step for step in dataset.pipeline if step["type"] != "LoadAnnotations"]
    from_file, rest = steps[0], Compose(steps[1:])
    load_file = Compose([from_file])
    load_array = Compose([{**from_file, "type": "LoadImageFromNDArray"}])

    def load(results: dict[str, Any]) -> Any:
        return (load_array if "img" in results else load_file)(results)

    return Compose([load, rest])


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


def _check_picture(picture: Picture, i: int) -> None:
    """Stop at what the pipeline would misread or fail on late."""
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8:
            raise ValueError(f"picture {i}: expected uint8 from 0 to 255, got {picture.dtype}")
        if picture.ndim != 3 or 0 in picture.shape:
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


def _trained_classes(checkpoint: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Class names that a checkpoint was trained on, whichever version wrote it."""
    meta = checkpoint.get("meta") or {}
    data = meta.get("dataset_meta") or {}
    classes = data.get("classes") or data.get("CLASSES") or meta.get("CLASSES")
    return tuple(classes) if classes else None


def _dataset_meta(
    cfg: Config,
    checkpoint: Mapping[str, Any] | None,
    palette: Sequence[tuple[int, int, int]] | str,
) -> dict[str, Any]:
    """Class names and palette."""
    classes = _trained_classes(checkpoint) if checkpoint else None
    stored = ((checkpoint or {}).get("meta") or {}).get("dataset_meta") or {}
    if classes is None:
        try:
            classes = dataset_classes(cfg.test_dataloader.dataset)
        except FileNotFoundError as error:
            raise ValueError(
                "class names are neither in the checkpoint nor in reach of the config; name them"
                " with cfg_options={'test_dataloader.dataset.metainfo': dict(classes=(...,))}."
                f" {error}"
            ) from error
    if not isinstance(palette, str):
        return {"classes": classes, "palette": list(palette)}
    if palette not in ("none", "random"):
        raise ValueError(
            f"palette must be a list of (r, g, b), 'none' or 'random', got {palette!r}"
        )
    kept = stored.get("palette") if palette == "none" else None
    return {"classes": classes, "palette": kept or generate_palette(len(classes))}
