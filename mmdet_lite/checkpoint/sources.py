"""Where weights come from: local files, web addresses and the names that configs use for them."""

import difflib
import os
import re
from pathlib import Path
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier as wait_for_all_ranks
from mmengine.dist import get_dist_info

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
SCHEMES = ("torchvision://", "open-mmlab://", "http://", "https://")


def local_checkpoint(source: str) -> Path:
    """The local file behind ``source``, downloaded into torch's cache if it must be.

    Args:
        source: a path, a web address, ``torchvision://resnet50`` or
            ``open-mmlab://detectron2/resnet50_caffe``.

    Raises:
        FileNotFoundError: if there is no such file, or no network to fetch it.
        ValueError: if the name after ``torchvision://`` or ``open-mmlab://`` is unknown.
    """
    if "://" not in source:
        return _existing_file(Path(source).expanduser())
    url = weights_url(source)
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    rank, world_size = get_dist_info()
    failure = None
    if not cached.is_file() and (rank == 0 or os.environ.get("LOCAL_RANK") == "0"):
        failure = _download(url, cached)
    if world_size > 1:
        wait_for_all_ranks()
    if not cached.is_file():
        raise FileNotFoundError(_no_download_text(source, url, cached, failure))
    return cached


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
    if scheme == "open-mmlab":
        if name not in OPEN_MMLAB_FILES:
            raise ValueError(_unknown_name(source, name, list(OPEN_MMLAB_FILES)))
        return OPEN_MMLAB_ROOT + OPEN_MMLAB_FILES[name]
    return _torchvision_url(source, name)


def _torchvision_url(source: str, name: str) -> str:
    import torchvision.models  # slow to import, seldom needed

    model, _, entry = name.partition(".")
    if model not in torchvision.models.list_models():
        raise ValueError(_unknown_name(source, name, torchvision.models.list_models()))
    weights = torchvision.models.get_model_weights(model)
    entry = entry or ("IMAGENET1K_V1" if "IMAGENET1K_V1" in weights.__members__ else "DEFAULT")
    if entry not in weights.__members__:
        raise ValueError(_unknown_name(source, entry, list(weights.__members__)))
    return str(weights[entry].url)


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
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder: give one of its *.pth files")
    names = [item.name for item in looked.parent.iterdir()] if looked.parent.is_dir() else None
    if names is None:
        hint = f"the folder {looked.parent} does not exist"
    else:
        nearest = difflib.get_close_matches(path.name, names, n=3, cutoff=0.4)
        hint = f"nearest names there: {', '.join(nearest)}" if nearest else "no name there is near"
    raise FileNotFoundError(f"no checkpoint file {path} (looked at {looked}); {hint}")


def _download(url: str, cached: Path) -> Exception | None:
    """Fetch ``url``; the error is returned, as other ranks wait for this one.

    Names that end in eight hex digits carry the start of the file's SHA-256, which is compared.
    """
    cached.parent.mkdir(parents=True, exist_ok=True)
    digest = re.search(r"-([0-9a-f]{8})\.", cached.name)
    prefix = digest.group(1) if digest else None
    try:
        torch.hub.download_url_to_file(url, str(cached), prefix, progress=os.isatty(2))
    except (OSError, RuntimeError) as error:  # no network or disk; another hash
        return error
    return None


def _no_download_text(source: str, url: str, cached: Path, failure: Exception | None) -> str:
    return (
        f"cannot get the weights {source!r}\n"
        f"  address: {url}\n"
        f"  looked for a copy at: {cached}\n"
        f"  download failed: {failure or 'see the message of rank 0'}\n"
        "Either put the file at the path above (TORCH_HOME moves that folder), or give a local "
        "file:\n"
        "  --cfg-options model.backbone.init_cfg.checkpoint=PATH   for a backbone,\n"
        "  --load-from PATH                                        for a whole detector,\n"
        "or start from random weights: --cfg-options model.backbone.init_cfg=None"
    )
