"""Picture files to arrays, in one way for training, testing, drawing and checking.

OpenCV decodes, and Pillow what OpenCV cannot or does wrongly. Arrays are (H, W) for one channel,
else (H, W, C), with C = 3 in BGR or 4 in BGRA order.

``color_type`` says what comes out:

- ``color``: (H, W, 3) uint8, turned upright as the EXIF orientation says. Alpha is dropped, 16 bits
  become 8 (whole range to whole range), of several frames or pages the first is taken.
- ``grayscale``: the same as (H, W).
- ``color_ignore_orientation``, ``grayscale_ignore_orientation``: not turned.
- ``unchanged``: channels and depth of the file, alpha too, not turned. Palettes become colours.

TIFF files are always turned: their decoders do that.
"""

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import IO, Any

import cv2
import numpy as np
from mmengine.fileio import exists, get
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = NDArray[Any]

CV_FLAGS = {
    "color": cv2.IMREAD_COLOR,
    "grayscale": cv2.IMREAD_GRAYSCALE,
    "unchanged": cv2.IMREAD_UNCHANGED,
    "color_ignore_orientation": cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
    "grayscale_ignore_orientation": cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION,
}
COLOR_TYPES = tuple(CV_FLAGS)
PICTURE_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".jp2", ".gif", ".pgm", ".ppm",
)  # fmt: skip
BACKENDS = ("cv2", "pillow", "tifffile")
WIDTH_TAG, HEIGHT_TAG, BITS_TAG, ORIENTATION_TAG = 256, 257, 258, 274
SIDEWAYS = 5  # EXIF orientations from here on swap height and width
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
GIFS, TIFFS, AVIFS = (b"GIF87a", b"GIF89a"), (b"II*\0", b"MM\0*"), (b"ftypavif", b"ftypavis")
NO_PICTURES = (  # how files begin that are taken for pictures
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the file with 'git lfs pull'"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "XML"),
    (b"<svg", "an SVG drawing"),
    (b"%pdf", "a PDF"),
    (b"{", "JSON"),
    (b"pk\x03\x04", "a zip archive"),
)
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
PILLOW_ERRORS = (
    OSError, ValueError, TypeError, SyntaxError, EOFError, KeyError, IndexError, OverflowError,
    AttributeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


class BadImageError(ValueError):
    """A picture that cannot be used: damaged, empty, no picture. ``why`` is the text's reason."""

    path: str = ""
    why: str = ""


class MissingImageError(FileNotFoundError):
    """A picture that is not there. ``why`` is the text's reason."""

    path: str = ""
    why: str = ""


def read_image(
    path: str,
    color_type: str = "color",
    backend: str = "cv2",
    backend_args: dict[str, Any] | None = None,
) -> Pixels:
    """Read a picture, see the module for ``color_type``; ``backend_args`` are mmengine's.

    Raises:
        MissingImageError: there is no such file.
        BadImageError: it cannot be read, is damaged or no picture.
    """
    try:
        content = get(path, backend_args=backend_args)
        return decode_image(content, color_type, backend)
    except FileNotFoundError as error:
        missing = MissingImageError(f"image {path!r} does not exist")
        missing.path, missing.why = path, "does not exist"
        raise missing from error
    except (OSError, BadImageError) as error:
        why = str(getattr(error, "strerror", None) or error)
        bad = BadImageError(f"image {path!r} cannot be read or decoded: {why}")
        bad.path, bad.why = path, why
        raise bad from error


def decode_image(content: bytes, color_type: str = "color", backend: str = "cv2") -> Pixels:
    """Decode the bytes of a picture file, see the module for ``color_type``.

    ``backend`` 'cv2' is OpenCV, with Pillow where it fails; 'pillow' is Pillow alone; 'tifffile'
    reads TIFF of any number of channels with the package of that name, (H, W, C) in their order.

    Raises:
        BadImageError: the file is empty, cut off, damaged or no picture.
        ValueError: 'tifffile' is not installed.
    """
    why = cut_off(content)
    if why is not None:
        raise BadImageError(why)
    if backend == "tifffile":
        return _with_tifffile(content)
    if backend == "cv2" and not _opencv_errs(content):
        pixels = _with_opencv(content, color_type)
        if pixels is not None:
            return pixels
    return _with_pillow(content, color_type)


def image_size(path: str, color_type: str = "color") -> tuple[int, int]:
    """Return the (height, width) of what ``read_image`` gives; nothing is decoded for it.

    Only a file that Pillow does not know is read as a whole. Whether the pixels behind the head are
    damaged is not seen.

    Raises:
        MissingImageError, BadImageError: as ``read_image``.
    """
    try:
        with open(path, "rb") as file, Image.open(file) as image:
            if image.format == "TIFF":  # some versions of Pillow have swapped ``size`` already
                tags = getattr(image, "tag_v2", {})
                width, height = int(tags[WIDTH_TAG]), int(tags[HEIGHT_TAG])
                sideways = tags.get(ORIENTATION_TAG, 1) >= SIDEWAYS
            else:
                width, height = image.size
                upright = color_type in ("color", "grayscale")
                sideways = upright and _orientation(image, file) >= SIDEWAYS
    except PILLOW_ERRORS:
        height, width = read_image(path, color_type).shape[:2]
        sideways = False
    return (width, height) if sideways else (height, width)


def exif_orientation(content: bytes) -> int:
    """How a picture is to be turned: 1 not at all, 2 to 8 as EXIF counts; see ``SIDEWAYS``.

    1 also where the file does not say it or is no picture, and for TIFF, which decoders turn
    whatever ``color_type`` is. Only the file's head is read.
    """
    file = io.BytesIO(content)
    try:
        with Image.open(file) as image:
            return 1 if image.format == "TIFF" else _orientation(image, file)
    except PILLOW_ERRORS:
        return 1


def with_ending(stem: str, backend_args: Mapping[str, Any] | None = None) -> str | None:
    """Return the path of a picture that is given without its ending; None if there is none."""
    endings = [e for ending in PICTURE_ENDINGS for e in (ending, ending.upper())]
    return next((stem + e for e in endings if exists(stem + e, backend_args)), None)


def read_rgb(
    img_path: str | Sequence[str],
    size_hw: Sequence[int] | None = None,
    backend_args: dict[str, Any] | None = None,
) -> NDArray[np.uint8]:
    """Read a picture to draw upon: (H, W, 3) uint8 RGB, of several files the first.

    Upright; but where only the picture as it is stored has the size ``size_hw`` (height, width) of
    what will be drawn, that one.

    Raises:
        MissingImageError, BadImageError: as ``read_image``.
    """
    path = img_path if isinstance(img_path, str) else img_path[0]
    try:
        pixels = read_image(path, "color", backend_args=backend_args)
        if size_hw is not None and pixels.shape[:2] != tuple(size_hw[:2]):
            stored = read_image(path, "color_ignore_orientation", backend_args=backend_args)
            pixels = stored if stored.shape[:2] == tuple(size_hw[:2]) else pixels
    except BadImageError:
        pixels = read_image(path, "unchanged", backend_args=backend_args)
    return as_rgb(pixels)


def as_rgb(pixels: Pixels) -> NDArray[np.uint8]:
    """Any picture as (H, W, 3) uint8 RGB; more than 3 channels are cut, other depths stretched."""
    if pixels.dtype != np.uint8:
        values = np.nan_to_num(pixels.astype(np.float32))
        low, high = values.min(), values.max()
        pixels = ((values - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(pixels[..., 2::-1])


def cut_off(content: bytes) -> str | None:
    """Why a file cannot hold a whole picture, as its length and end tell; None if nothing is seen.

    Decoders fill what is missing of a JPEG with grey and call it a success.
    """
    if not content:
        return "the file is empty"
    if not any(content[:64]) and not any(content):
        return "the file holds nothing but zeros, as after a copy that was interrupted"
    if content.startswith(JPEG):
        whole = content.rfind(b"\xff\xd9", _scan_start(content)) >= 0
    elif content.startswith(PNG):
        whole = content.rfind(b"IEND") >= 0
    elif content.startswith(b"RIFF"):
        whole = len(content) >= 8 + int.from_bytes(content[4:8], "little")
    else:
        whole = True
    return None if whole else "the picture is cut off: the file ends before its data does"


def _orientation(image: Image.Image, file: IO[bytes]) -> int:
    """What EXIF says alone: OpenCV heeds no orientation in XMP, but Pillow's ``getexif`` does."""
    exif = Image.Exif()
    exif.load(_png_exif(file) if image.format == "PNG" else image.info.get("exif", b""))
    orientation = exif.get(ORIENTATION_TAG, 1)
    return orientation if orientation in range(1, 9) else 1


def _png_exif(file: IO[bytes]) -> bytes:
    """EXIF of a PNG, which may stand behind the pixels: these are passed over."""
    file.seek(len(PNG))
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"eXIf":
            return file.read(length)
        file.seek(length + 4, io.SEEK_CUR)
    return b""


def _scan_start(content: bytes) -> int:
    """Where a JPEG's pixel data begins: a thumbnail before it has an end mark of its own."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] != 0xDA:
        filler = content[at + 1] == 0xFF
        at += 1 if filler else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return at


def _opencv_errs(content: bytes) -> bool:
    """Whether OpenCV would give other pixels than the file means, or only newer versions would not.

    It does not turn AVIF, multiplies colours of TIFF of 8 bits with their alpha, takes inks for
    channels where nothing is to be changed, and reads GIF since 4.11.
    """
    if content.startswith(GIFS) or content[4:12] in AVIFS:
        return True
    if not content.startswith(TIFFS):
        return False
    try:
        with Image.open(io.BytesIO(content)) as image:
            bits = getattr(image, "tag_v2", {}).get(BITS_TAG, (8,))
            return image.mode in ("RGBA", "LA", "CMYK") and max(bits) == 8
    except PILLOW_ERRORS:
        return False


def _with_opencv(content: bytes, color_type: str) -> Pixels | None:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), CV_FLAGS[color_type])
    except cv2.error:
        return None


def _with_tifffile(content: bytes) -> Pixels:
    try:
        import tifffile
    except ImportError as error:
        raise ValueError(
            "imdecode_backend='tifffile' needs the package tifffile: pip install "
            '"mmdet_lite[tiff]"'
        ) from error
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page = file.pages.first
            pixels: Pixels = page.asarray()
            planes_first = page.axes.startswith("S")
    except (*PILLOW_ERRORS, RuntimeError) as error:
        raise BadImageError(f"it is no TIFF that is whole ({error})") from error
    return np.ascontiguousarray(np.moveaxis(pixels, 0, -1)) if planes_first else pixels


def _with_pillow(content: bytes, color_type: str) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            wide = image.mode == "F" or (image.mode == "I" and image.format == "TIFF")
            if wide and color_type != "unchanged":
                raise BadImageError(
                    "its pixels have 32 bits, of which the range is not known: read it with "
                    "color_type='unchanged'"
                )
            lies = color_type in ("color", "grayscale") and exif_orientation(content) > 1
            turned = ImageOps.exif_transpose(image) if lies else image
            return _pixels_of(turned, color_type)
    except BadImageError:
        raise
    except PILLOW_ERRORS as error:
        raise BadImageError(_refusal(content, error)) from error


def _pixels_of(image: Image.Image, color_type: str) -> Pixels:
    """A Pillow image as the array that ``color_type`` means."""
    if color_type == "unchanged":
        return _stored_pixels(image)
    grey = color_type.startswith("grayscale")
    if image.mode.startswith("I"):  # 16 bits, or 16 bits in 32; Pillow would clip them
        high = np.clip(np.asarray(image).astype(np.int64), 0, 65535) >> 8
        pixels = high.astype(np.uint8)
        return pixels if grey else np.repeat(pixels[..., None], 3, axis=2)
    if grey:
        return np.array(image.convert("RGB").convert("L"))
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])


def _stored_pixels(image: Image.Image) -> Pixels:
    """Channels and depth as the file has them; palettes, CMYK and others become colours."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return np.ascontiguousarray(np.asarray(image.convert("RGBA"))[..., [2, 1, 0, 3]])
    if image.mode in ("L", "F") or image.mode.startswith("I"):
        return np.array(image)
    if image.mode == "1":
        return np.array(image.convert("L"))
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1])


def _refusal(content: bytes, error: Exception) -> str:
    """Why neither OpenCV nor Pillow reads this."""
    start = content[:64].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    for beginning, kind in NO_PICTURES:
        if start.startswith(beginning):
            return f"it is no picture but {kind}"
    if content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS:
        return "it is a HEIC picture, which is not read here: convert it to JPEG"
    if isinstance(error, UnidentifiedImageError):
        many = "; TIFF of more than 4 channels are read with imdecode_backend='tifffile'"
        hint = many if content.startswith(TIFFS) else ""
        return f"it is no picture that OpenCV or Pillow knows, or is damaged{hint}"
    return f"it is damaged ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
