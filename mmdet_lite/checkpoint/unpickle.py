"""Plain pickles, the .pkl files of Detectron and Detectron2, as files of weights."""

from pathlib import Path
from typing import Any

from mmdet_lite.ops.plain_pickle import load_plain_pickle

# what torch.save wrote before it wrote zip files begins with this pickled number
OLD_TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def is_plain_pickle(path: Path) -> bool:
    """Whether a file holds a pickle that is not one of torch's own layouts.

    Recognised by its first bytes: torch writes zip files, and before that a magic number.
    """
    with path.open("rb") as file:
        start = file.read(len(OLD_TORCH_MAGIC))
    without_version = start[:2] in (b"(d", b"(l", b"}q", b"]q", b"cc", b"cn", b"c_")
    return (start[:1] == b"\x80" and start != OLD_TORCH_MAGIC) or without_version


def read_pickle(path: Path) -> Any:
    """Content of a pickle of weights, see ``load_plain_pickle``.

    Raises:
        ValueError: if the file is cut off, or asks for anything but arrays and plain containers.
    """
    try:
        with path.open("rb") as file:
            return load_plain_pickle(file)
    except ValueError as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: {error}; copy or "
            "download it again, or choose another one"
        ) from error
