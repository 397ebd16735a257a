"""Archives of public data sets: what is known of them, and unpacking them safely."""

import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from mmdet_lite.checkpoint.progress import Progress

UNWANTED = ("__MACOSX", ".DS_Store")
COCO_HOST = "http://images.cocodataset.org"
VOC_HOST = "https://thor.robots.ox.ac.uk/pascal/VOC"


@dataclass(frozen=True)
class Archive:
    """A file to download; of ``size`` bytes and with this ``md5`` where one is known."""

    url: str
    size: int | None = None
    md5: str | None = None

    @property
    def name(self) -> str:
        """Its file name."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublicDataset:
    """Archives that belong together, the folder for which our configs look, and what comes next."""

    folder: str
    archives: tuple[Archive, ...]
    then: str


# COCO's sums are those of its own server's files, VOC's also stand in torchvision.
PUBLIC_DATASETS = {
    "coco2017": PublicDataset(
        "data/coco",
        (
            Archive(
                f"{COCO_HOST}/annotations/annotations_trainval2017.zip",
                252_907_541,
                "f4bbac642086de4f52a3fdda2de5fa2c",
            ),
            Archive(
                f"{COCO_HOST}/zips/val2017.zip", 815_585_330, "442b8da7639aecaf257c1dceb8ba8c80"
            ),
            Archive(
                f"{COCO_HOST}/zips/train2017.zip",
                19_336_861_798,
                "cced6f7f71b7629ddf16f17bbcfab6b2",
            ),
        ),
        "python tools/train.py configs/mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py",
    ),
    "voc2007": PublicDataset(
        "data",
        (
            Archive(
                f"{VOC_HOST}/voc2007/VOCtrainval_06-Nov-2007.tar",
                460_032_000,
                "c52e279531787c972589f7e41ab4ae64",
            ),
            Archive(
                f"{VOC_HOST}/voc2007/VOCtest_06-Nov-2007.tar",
                451_020_800,
                "b6e924de25625d8de591ea690078ad9f",
            ),
        ),
        "python tools/train.py configs/pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py "
        "(needs voc2012 too)",
    ),
    "voc2012": PublicDataset(
        "data",
        (
            Archive(
                f"{VOC_HOST}/voc2012/VOCtrainval_11-May-2012.tar",
                1_999_639_040,
                "6cd6e144f989b92b3379bac3b3de84fd",
            ),
        ),
        "python tools/train.py configs/pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py "
        "(needs voc2007 too)",
    ),
    "balloon": PublicDataset(
        "data",
        (
            Archive(
                "https://github.com/matterport/Mask_RCNN/releases/download/v2.1/balloon_dataset.zip",
                38_741_381,
            ),
        ),
        "python tools/dataset_converters/balloon2coco.py data/balloon",
    ),
}


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


def unpack(path: Path, folder: Path) -> int:
    """Write the files of a zip or tar archive below ``folder``; returns how many there are.

    Each is written under another name and renamed when it is whole, and one that is there already
    in its size is left, so an interrupted run is simply repeated. Before anything is written all
    members are looked at.

    Raises:
        ValueError: the archive is damaged, has members that are no plain files or would lie outside
            of ``folder``, or would replace a file of another size.
    """
    with _opened(path) as members:
        targets = [(member, folder / _safe_parts(member.name, path)) for member in members]
        for member, target in targets:
            if target.exists() and target.stat().st_size != member.size:
                raise ValueError(
                    f"{target} exists already and is another file than that of {path.name}: move "
                    "it away, or choose another folder with --save-dir"
                )
        total = sum(member.size for member in members)
        with Progress(f"unpacking {path.name}", 0, total) as progress:
            for member, target in targets:
                if not target.exists():
                    _write(member, target)
                progress.add(member.size)
    return len(members)


def _write(member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    source = member.open()
    assert source is not None, f"{member.name} is a plain file"
    try:
        with source, part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _opened(path: Path) -> Iterator[list[Member]]:
    """The files of an archive while it is open; errors of its content as ValueError."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _zip_members(archive, path)
        else:
            with tarfile.open(path) as archive:
                yield _tar_members(archive, path)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise ValueError(
            f"{path} is damaged ({reason}): delete it and run the command again"
        ) from error


def _zip_members(archive: zipfile.ZipFile, path: Path) -> list[Member]:
    members = []
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir() or _unwanted(info.filename):
            continue
        _check_plain(kind in (0, stat.S_IFREG), info.filename, path)
        members.append(Member(info.filename, info.file_size, partial(archive.open, info)))
    return members


def _tar_members(archive: tarfile.TarFile, path: Path) -> list[Member]:
    members = []
    for info in archive:
        if info.isdir() or _unwanted(info.name):
            continue
        _check_plain(info.isfile(), info.name, path)
        members.append(Member(info.name, info.size, partial(archive.extractfile, info)))
    return members


def _unwanted(name: str) -> bool:
    return any(part in UNWANTED for part in PurePosixPath(name).parts)


def _check_plain(plain: bool, name: str, path: Path) -> None:
    if not plain:
        raise ValueError(
            f"{path} has the member {name!r}, a link or device: nothing of it is unpacked"
        )


def _safe_parts(name: str, path: Path) -> PurePosixPath:
    """A member's name as a path below the folder."""
    inner = PurePosixPath(name.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in name or not inner.parts:
        raise ValueError(
            f"{path} has the member {name!r}, which would be written outside of the folder: "
            "nothing of it is unpacked"
        )
    return inner
