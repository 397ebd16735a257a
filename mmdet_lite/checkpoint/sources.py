"""Where weights come from: local files, web addresses and the names that configs use for them."""

import difflib
from pathlib import Path
from typing import Any

from mmdet_lite.checkpoint.download import Fingerprint, cached_path, fetch, hash_in_name
from mmdet_lite.checkpoint.zoo import (
    find_model,
    is_model_name,
    may_be_model_name,
    model_config,
    nearest_models,
)

# Names after open-mmlab:// that configs of Mask R-CNN and its family use.
# Source: mmengine 0.10.7, hub/openmmlab.json.
OPEN_MMLAB_ROOT = "https://download.openmmlab.com/pretrain/third_party/"
OPEN_MMLAB_FILES = {
    "vgg16_caffe": "vgg16_caffe-292e1171.pth",
    "detectron/resnet50_caffe": "resnet50_caffe-788b5fa3.pth",
    "detectron2/resnet50_caffe": "resnet50_msra-5891d200.pth",
    "detectron/resnet101_caffe": "resnet101_caffe-3ad79236.pth",
    "detectron2/resnet101_caffe": "resnet101_msra-6cc46731.pth",
    "detectron2/resnext101_32x8d": "resnext101_32x8d-1516f1aa.pth",
    "resnext50_32x4d": "resnext50-32x4d-0ab1a123.pth",
    "resnext101_32x4d": "resnext101_32x4d-a5af3160.pth",
    "resnext101_64x4d": "resnext101_64x4d-ee2c6f71.pth",
    "contrib/resnet50_gn": "resnet50_gn_thangvubk-ad1730dd.pth",
    "detectron/resnet50_gn": "resnet50_gn-9186a21c.pth",
    "detectron/resnet101_gn": "resnet101_gn-cac0ab98.pth",
    "jhu/resnet50_gn_ws": "resnet50_gn_ws-15beedd8.pth",
    "jhu/resnet101_gn_ws": "resnet101_gn_ws-3e3c308c.pth",
    "jhu/resnext50_32x4d_gn_ws": "resnext50_32x4d_gn_ws-0d87ac85.pth",
    "jhu/resnext101_32x4d_gn_ws": "resnext101_32x4d_gn_ws-34ac1a9e.pth",
    "jhu/resnext50_32x4d_gn": "resnext50_32x4d_gn-c7e8b754.pth",
    "jhu/resnext101_32x4d_gn": "resnext101_32x4d_gn-ac3bb84e.pth",
}
DETECTRON2_ROOT = "https://dl.fbaipublicfiles.com/detectron2/"
SCHEMES = ("torchvision://", "open-mmlab://", "detectron2://", "http://", "https://")
INSTEAD = (
    "put the file there, or name a local one: --load-from PATH (a detector), or checkpoint=PATH in "
    "the init_cfg that asks for it"
)


def local_checkpoint(source: str) -> Path:
    """The local file behind ``source``, downloaded if it must be (see ``fetch``).

    Args:
        source: a path, a name of the model zoo (``mask-rcnn_r50_fpn_1x_coco``), a web address,
            ``torchvision://resnet50``, ``open-mmlab://detectron2/resnet50_caffe`` or
            ``detectron2://ImageNetPretrained/MSRA/R-50.pkl``.

    Raises:
        FileNotFoundError: if there is no such file, or no network to fetch it.
        ValueError: if the name after ``torchvision://`` or ``open-mmlab://`` is unknown, or what
            was fetched is not the published file.
    """
    if is_model_name(source):
        model = find_model(source)
        return _fetched(source, model.url, model.fingerprint)
    if "://" not in source:
        return _existing_file(Path(source).expanduser())
    url = weights_url(source)
    return _fetched(source, url, Fingerprint(sha256=hash_in_name(cached_path(url).name)))


def resolve_model(name: str) -> tuple[Path, Path]:
    """Config and checkpoint file of a model of the zoo; the weights are downloaded if they must be.

    Raises:
        ValueError: if the zoo has no such name (the nearest are named) or no config for it.
        FileNotFoundError: if its weights are not here and cannot be fetched.
    """
    model = find_model(name)
    config = model_config(model)
    return config, local_checkpoint(model.name)


def weights_url(source: str) -> str:
    """The web address behind a name such as ``torchvision://resnet50``.

    Source: torchvision's weights are the ones of its ``IMAGENET1K_V1`` entries, as in MMDetection.

    Raises:
        ValueError: if the scheme or the name is unknown, with the nearest known ones.

    >>> weights_url("torchvision://resnet18")
    'https://download.pytorch.org/models/resnet18-f37072fd.pth'
    """
    scheme, name = source.split("://", 1)
    if f"{scheme}://" not in SCHEMES:
        raise ValueError(f"cannot load {source!r}: {scheme}:// is none of {', '.join(SCHEMES)}")
    if scheme.startswith("http"):
        return source
    if scheme == "detectron2":
        return DETECTRON2_ROOT + name
    if scheme == "open-mmlab":
        if name not in OPEN_MMLAB_FILES:
            raise ValueError(_unknown_name(source, name, list(OPEN_MMLAB_FILES)))
        return OPEN_MMLAB_ROOT + OPEN_MMLAB_FILES[name]
    return str(_torchvision_weights(source, name).url)


def torchvision_preprocessing(source: str) -> dict[str, Any] | None:
    """How images were prepared for the weights behind ``torchvision://...``.

    None for other sources, and for detectors, which prepare images themselves.
    """
    scheme, _, name = source.partition("://")
    if scheme != "torchvision":
        return None
    transforms = _torchvision_weights(source, name).transforms()
    if not hasattr(transforms, "mean"):
        return None
    scaled = {key: [255 * value for value in getattr(transforms, key)] for key in ("mean", "std")}
    return {"order": "RGB", **scaled}


def _torchvision_weights(source: str, name: str) -> Any:
    """The entry of torchvision for a name, or ValueError with the nearest names."""
    import torchvision.models  # slow to import, seldom needed

    model, _, entry = name.partition(".")
    if model not in torchvision.models.list_models():
        raise ValueError(_unknown_name(source, name, torchvision.models.list_models()))
    weights = torchvision.models.get_model_weights(model)
    entry = entry or ("IMAGENET1K_V1" if "IMAGENET1K_V1" in weights.__members__ else "DEFAULT")
    if entry not in weights.__members__:
        raise ValueError(_unknown_name(source, entry, list(weights.__members__)))
    return weights[entry]


def _unknown_name(source: str, name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
    return f"cannot load {source!r}: {name!r} is not a known name{hint}"


def _existing_file(path: Path) -> Path:
    if path.is_file():
        return path
    looked = path.absolute()
    if any(sign in path.name for sign in "*?["):  # the shell hands on what it cannot fill in
        there = sorted(item.name for item in looked.parent.glob("*.pth"))
        hint = f"it has {', '.join(there[:8])}" if there else "it has no *.pth file"
        raise FileNotFoundError(f"no file matches {path} (folder {looked.parent}); {hint}")
    near_models = nearest_models(str(path)) if may_be_model_name(str(path)) else []
    if near_models:
        raise FileNotFoundError(
            f"{path} is neither a file (looked at {looked}) nor a name of the model zoo; nearest "
            f"names there: {', '.join(near_models)}"
        )
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder: give one of its *.pth files")
    names = [item.name for item in looked.parent.iterdir()] if looked.parent.is_dir() else None
    if names is None:
        hint = f"the folder {looked.parent} does not exist"
    else:
        nearest = difflib.get_close_matches(path.name, names, n=3, cutoff=0.4)
        hint = f"nearest names there: {', '.join(nearest)}" if nearest else "no name there is near"
    raise FileNotFoundError(f"no checkpoint file {path} (looked at {looked}); {hint}")


def _fetched(source: str, url: str, known: Fingerprint) -> Path:
    try:
        return fetch(url, cached_path(url), known)
    except FileNotFoundError as error:
        wanted = "" if source == url else f" (for {source})"
        raise FileNotFoundError(f"{error}{wanted}; {INSTEAD}") from error
