"""Pictures from disk or memory. How files are read stands in ``ops.image_file``.

A sample with ``unreadable`` = True gets a black picture in place of its file; the data set marks so
in testing what it could not read, and the detector finds nothing in it.
"""

import os
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile as CvLoadImageFromFile
from mmengine.fileio import get

from mmdet_lite.datasets.transforms.results import Results
from mmdet_lite.ops.checks import did_you_mean
from mmdet_lite.ops.image_file import (
    BACKENDS,
    COLOR_TYPES,
    SIDEWAYS,
    BadImageError,
    MissingImageError,
    Pixels,
    exif_orientation,
    read_image,
)
from mmdet_lite.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadImageFromFile(CvLoadImageFromFile):
    """Read ``results['img_path']``, turned upright as its EXIF orientation says.

    Adds ``img`` (H, W, 3) uint8 BGR, or what ``color_type`` asks for, and ``img_shape`` and
    ``ori_shape`` (height, width). Where the sample has ``height`` and ``width`` these must be the
    picture's.

    Args:
        to_float32: as float32 instead of the file's own type.
        color_type: 'color', 'grayscale' (H, W), 'unchanged' (channels and depth of the file, not
            turned), 'color_ignore_orientation' or 'grayscale_ignore_orientation' (not turned), see
            ``ops.image_file``.
        imdecode_backend: 'cv2' or 'pillow'; 'tifffile' for TIFF of many channels, which goes with
            color_type='unchanged' and with ``pip install "mmdet_lite[tiff]"``.
        file_client_args: refused, it became ``backend_args``.
        ignore_empty: an image that is missing or cannot be read gives None without a word, and the
            data set takes another. ``on_bad_image`` of the data set counts and lists them.
        backend_args: of mmengine's file backend.

    Raises:
        FileNotFoundError: the image does not exist.
        ValueError: it cannot be read or decoded, is cut off, or has another size than the data set
            says; an argument that is not supported.
    """

    def __init__(
        self,
        to_float32: bool = False,
        color_type: str = "color",
        imdecode_backend: str = "cv2",
        file_client_args: dict[str, Any] | None = None,
        ignore_empty: bool = False,
        *,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        name = type(self).__name__
        if file_client_args is not None:
            raise ValueError(f"{name}: file_client_args is gone, use backend_args instead")
        for key, value, known in (
            ("color_type", color_type, COLOR_TYPES),
            ("imdecode_backend", imdecode_backend, BACKENDS),
        ):
            if value not in known:
                hint = did_you_mean(str(value), known)
                raise ValueError(f"{name}: {key}={value!r} is not supported; {hint}")
        if imdecode_backend == "tifffile" and color_type != "unchanged":
            raise ValueError(f"{name}: imdecode_backend='tifffile' needs color_type='unchanged'")
        super().__init__(
            to_float32, color_type, imdecode_backend, ignore_empty=ignore_empty,
            backend_args=backend_args,
        )  # fmt: skip

    def transform(self, results: Results) -> Results | None:
        """Load ``results['img_path']``."""
        if results.get("unreadable"):
            return self.with_image(results, self.blank(results))
        try:
            image = self.read(results)
        except MissingImageError as error:
            if self.ignore_empty:
                return None
            missing = MissingImageError(
                f"{error}; check data_root and data_prefix.img of the data set and file_name in "
                f"its annotation file (looked for {os.path.abspath(error.path)})"
            )
            missing.path, missing.why = error.path, error.why
            raise missing from error
        except BadImageError:
            if self.ignore_empty:
                return None
            raise
        said_hw = (results.get("height"), results.get("width"))
        if None not in said_hw and said_hw != image.shape[:2]:
            raise ValueError(self._size_error(results, image.shape[:2]))
        return self.with_image(results, image)

    def read(self, results: Results) -> Pixels:
        """The picture of ``results['img_path']``."""
        return self.read_file(results["img_path"])

    def read_file(self, path: str) -> Pixels:
        """The picture in a file."""
        return read_image(path, self.color_type, self.imdecode_backend, self.backend_args)

    def blank(self, results: Results) -> Pixels:
        """A black picture of the size that the data set says."""
        shape = (int(results["height"]), int(results["width"]))
        grey = self.color_type.startswith("grayscale")
        return np.zeros(shape if grey else (*shape, 3), np.uint8)

    def with_image(self, results: Results, image: Pixels) -> Results:
        """The results with ``image`` and its shapes; changes them in place, as transforms do."""
        results["img"] = image.astype(np.float32) if self.to_float32 else image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results

    def _size_error(self, results: Results, found_hw: Sequence[int]) -> str:
        """Why the annotation file describes another picture than the one that was read."""
        said_hw = (results["height"], results["width"])
        path = results["img_path"]
        out = "correct height and width in the annotation file, or the picture"
        if said_hw == tuple(found_hw[::-1]):
            path = path if isinstance(path, str) else path[0]
            out = self._swap_hint(exif_orientation(get(path, backend_args=self.backend_args)))
        return (
            f"image {path!r} measures {found_hw[1]}x{found_hw[0]} (width x height), the annotation "
            f"file says {said_hw[1]}x{said_hw[0]}: its boxes would lie wrong. {out}"
        )

    def _swap_hint(self, orientation: int) -> str:
        """What to do about swapped sizes, by how the picture lies."""
        if orientation < SIDEWAYS:
            return "the two are swapped: correct height and width in the annotation file"
        if self.color_type in ("color", "grayscale"):
            return (
                f"the picture is stored lying (EXIF orientation {orientation}) and was turned "
                "upright, but was annotated as it is stored. If all were annotated so: "
                f"LoadImageFromFile(color_type='{self.color_type}_ignore_orientation'). Else save "
                "this picture upright, and turn its annotations"
            )
        return (
            f"the picture was annotated upright, but color_type={self.color_type!r} leaves it as "
            f"it is stored (EXIF orientation {orientation}): save it upright, or take color_type "
            "'color' or 'grayscale'"
        )


@TRANSFORMS.register_module()
class LoadMultiChannelImageFromFiles(LoadImageFromFile):
    """Read one picture whose channels are files, ``results['channel_paths']``.

    A file of one channel gives one, a file of three gives three (BGR); they follow each other in
    the order of the list. In a COCO json an image names them in ``channel_file_names``, and in
    ``file_name`` one that can be looked at. Without ``channel_paths`` ``results['img_path']`` is
    the list, as in MMDetection. Adds ``img`` (H, W, C) in the type of the files. Arguments and
    errors are those of LoadImageFromFile; files of one picture must have one size and type.
    """

    def __init__(
        self,
        to_float32: bool = False,
        color_type: str = "unchanged",
        imdecode_backend: str = "cv2",
        file_client_args: dict[str, Any] | None = None,
        *,
        backend_args: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            to_float32, color_type, imdecode_backend, file_client_args, backend_args=backend_args
        )

    def read(self, results: Results) -> Pixels:
        """The channels of all files, (H, W, C)."""
        paths = _channel_paths(results)
        parts = [np.atleast_3d(self.read_file(path)) for path in paths]
        kinds = [(*part.shape[:2], part.dtype.name) for part in parts]
        for path, kind in zip(paths, kinds, strict=True):
            if kind != kinds[0]:
                raise ValueError(
                    "the files of one picture differ in height, width or type: "
                    f"{paths[0]!r} {kinds[0]}, {path!r} {kind}"
                )
        return np.concatenate(parts, axis=2)

    def blank(self, results: Results) -> Pixels:
        """A black picture with a channel a file."""
        channels = len(_channel_paths(results))
        return np.zeros((int(results["height"]), int(results["width"]), channels), np.uint8)


def _channel_paths(results: Results) -> Sequence[str]:
    paths: Sequence[str] = results.get("channel_paths") or results["img_path"]
    if isinstance(paths, str) or not paths:
        raise ValueError(
            f"LoadMultiChannelImageFromFiles: image {paths!r} names no files of its channels; list "
            "them in channel_file_names of the image in the annotation file. One file with several "
            "channels is read with LoadImageFromFile(color_type='unchanged')"
        )
    return paths


@TRANSFORMS.register_module()
class LoadImageFromNDArray(LoadImageFromFile):
    """Take the image from ``results['img']``, (H, W) or (H, W, C) BGR, instead of a file.

    With ``color_type`` 'color' a grey array becomes (H, W, 3) and alpha is dropped, with
    'grayscale' a colour array becomes (H, W); otherwise the array itself goes on. There is no EXIF
    orientation in it.
    """

    def transform(self, results: Results) -> Results:
        """Add ``img_path`` = None and the shapes."""
        image = to_channels(results["img"], self.color_type)
        return self.with_image({**results, "img_path": None}, image)


def to_channels(image: Pixels, color_type: str) -> Pixels:
    """An array (H, W) or (H, W, C) in BGR order with the channels that ``color_type`` means."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if color_type.startswith("grayscale") and image.ndim == 3:
        if channels not in (1, 3, 4):
            raise ValueError(f"an array of {channels} channels cannot become a grey picture")
        codes = {3: cv2.COLOR_BGR2GRAY, 4: cv2.COLOR_BGRA2GRAY}
        return image[..., 0] if channels == 1 else cv2.cvtColor(image, codes[channels])
    if color_type.startswith("color") and channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if color_type.startswith("color") and channels == 4:
        return image[..., :3]
    return image
