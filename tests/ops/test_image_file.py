"""Odd pictures, as Pillow writes and reads them."""

import io
import json
import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmdet_lite.ops.image_file import (
    COLOR_TYPES,
    BadImageError,
    MissingImageError,
    as_rgb,
    decode_image,
    exif_orientation,
    image_size,
    read_image,
    read_rgb,
    with_ending,
)

YS, XS = np.mgrid[:24, :32]
RGB = np.stack([XS * 8, YS * 10, (XS + YS) * 4], -1).astype(np.uint8)
GREY = RGB[..., 1]
RGBA = np.dstack([RGB, (XS * 8).astype(np.uint8)])
SIXTEEN = (GREY.astype(np.uint16) << 8) + XS.astype(np.uint16) * 7
ORIENTATION = 274
XMP_TURNED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


def encode(image, form, **options):
    """A picture file's bytes; ``image`` an array or Pillow's."""
    content = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(content, form, **options)
    return content.getvalue()


def several(form, **options):
    """A file of two frames or pages, the second one the first's negative."""
    other = Image.fromarray(255 - RGB)
    return encode(RGB, form, save_all=True, append_images=[other], **options)


def palette(form, **options):
    image = Image.fromarray(RGB).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    return encode(image, form, **options)


EIGHT_BITS = {
    "rgb.jpg": encode(RGB, "JPEG"),
    "progressive.jpg": encode(RGB, "JPEG", progressive=True),
    "grey.jpg": encode(GREY, "JPEG"),
    "cmyk.jpg": encode(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "rgba.png": encode(RGBA, "PNG"),
    "grey and alpha.png": encode(Image.fromarray(RGBA).convert("LA"), "PNG"),
    "palette.png": palette("PNG"),
    "palette with transparency.png": palette("PNG", transparency=3),
    "1 bit.png": encode(Image.fromarray(GREY > 100), "PNG"),
    "1 bit.bmp": encode(Image.fromarray(GREY > 100), "BMP"),
    "palette.bmp": palette("BMP"),
    "rgb.bmp": encode(RGB, "BMP"),
    "rgba.tif": encode(RGBA, "TIFF"),
    "cmyk.tif": encode(Image.fromarray(RGB).convert("CMYK"), "TIFF"),
    "lzw.tif": encode(RGB, "TIFF", compression="tiff_lzw"),
    "jpeg.tif": encode(RGB, "TIFF", compression="jpeg"),
    "fax.tif": encode(Image.fromarray(GREY > 100), "TIFF", compression="group4"),
    "pages.tif": several("TIFF"),
    "frames.gif": several("GIF"),
    "frames.webp": several("WEBP", lossless=True),
    "frames.png": several("PNG"),
    "rgba.webp": encode(RGBA, "WEBP", lossless=True, exact=True),
    "rgb.tga": encode(RGB, "TGA"),
    "rgb.ppm": encode(RGB, "PPM"),
    "grey.pgm": encode(GREY, "PPM"),
}


@pytest.mark.parametrize("name", EIGHT_BITS)
def test_pictures_of_8_bits_are_what_pillow_sees_in_their_first_frame(name):
    with Image.open(io.BytesIO(EIGHT_BITS[name])) as image:
        expected = np.asarray(image.convert("RGB"))[..., ::-1].astype(int)
        grey = np.asarray(image.convert("RGB").convert("L")).astype(int)
    for backend in ("cv2", "pillow"):
        pixels = decode_image(EIGHT_BITS[name], "color", backend)
        assert pixels.dtype == np.uint8 and pixels.shape == (24, 32, 3)
        assert np.abs(pixels - expected).max() <= 1
        pixels = decode_image(EIGHT_BITS[name], "grayscale", backend)
        assert pixels.dtype == np.uint8 and pixels.shape == (24, 32)
        assert np.abs(pixels - grey).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
@pytest.mark.parametrize("backend", ["cv2", "pillow"])
def test_16_bits_are_scaled_to_8_and_not_cut_off_or_clipped(form, backend):
    content = encode(SIXTEEN, form)
    expected = SIXTEEN.astype(float) * 255 / 65535
    assert np.abs(decode_image(content, "grayscale", backend) - expected).max() < 1.01
    assert np.abs(decode_image(content, "color", backend) - expected[..., None]).max() < 1.01
    stored = decode_image(content, "unchanged", backend)
    assert np.array_equal(stored, SIXTEEN)


def test_16_bits_of_colour_are_scaled_or_kept():
    pixels = np.dstack([SIXTEEN, SIXTEEN // 2, SIXTEEN // 3])
    for ending in (".png", ".tiff"):
        content = cv2.imencode(ending, pixels)[1].tobytes()
        assert np.abs(decode_image(content) - pixels * (255 / 65535)).max() < 1.01
        assert np.array_equal(decode_image(content, "unchanged"), pixels)


def test_unchanged_keeps_alpha_and_channels():
    for name, expected in (
        ("rgba.png", RGBA[..., [2, 1, 0, 3]]),
        ("rgba.tif", RGBA[..., [2, 1, 0, 3]]),
        ("rgba.webp", RGBA[..., [2, 1, 0, 3]]),
        ("rgb.bmp", RGB[..., ::-1]),
        ("grey.pgm", GREY),
    ):
        for backend in ("cv2", "pillow"):
            assert np.array_equal(decode_image(EIGHT_BITS[name], "unchanged", backend), expected)


def test_pixels_without_a_known_range_need_unchanged():
    for pixels in (SIXTEEN.astype(np.float32) / 65535, SIXTEEN.astype(np.int32)):
        content = encode(pixels, "TIFF")
        with pytest.raises(BadImageError, match=r"32 bits.*color_type='unchanged'"):
            decode_image(content)
        assert np.array_equal(decode_image(content, "unchanged"), pixels)
        assert as_rgb(pixels).max() >= 254  # and can be looked at


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_pictures_are_turned_upright_unless_that_is_to_be_ignored(form, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = encode(RGB, form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
    with Image.open(io.BytesIO(content)) as image:
        upright = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[..., ::-1]
    assert np.array_equal(decode_image(content), upright)
    assert np.array_equal(decode_image(content, backend="pillow"), upright)
    assert decode_image(content, "grayscale").shape == upright.shape[:2]
    if form != "TIFF":
        stored = decode_image(content, "color_ignore_orientation")
        assert np.abs(stored.astype(int) - RGB[..., ::-1]).max() < (20 if form == "AVIF" else 12)
        assert decode_image(content, "unchanged").shape == (24, 32, 3)
    assert exif_orientation(content) == (1 if form == "TIFF" else orientation)


@pytest.mark.parametrize("color_type", COLOR_TYPES)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF", "JPEG2000", "PPM"])
def test_the_size_in_the_head_is_that_of_what_is_read(tmp_path, form, color_type):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for name, options in {
        "plain": {},
        "turned": {"exif": exif},
        "xmp": {"xmp": XMP_TURNED},
    }.items():
        path = str(tmp_path / name)
        (tmp_path / name).write_bytes(encode(RGB, form, **options))
        assert image_size(path, color_type) == read_image(path, color_type).shape[:2], name


def test_the_orientation_behind_the_pixels_of_a_png_counts(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 8
    content = encode(RGB, "PNG", exif=exif)
    at, end = content.index(b"eXIf") - 4, content.index(b"IDAT") - 4
    last = content.index(b"IEND") - 4
    moved = content[:at] + content[end:last] + content[at:end] + content[last:]
    (tmp_path / "a.png").write_bytes(moved)
    assert exif_orientation(moved) == 8
    assert image_size(str(tmp_path / "a.png")) == (32, 24) == decode_image(moved).shape[:2]


def test_orientation_in_xmp_alone_is_heeded_by_no_backend():
    content = encode(RGB, "WEBP", xmp=XMP_TURNED)
    assert exif_orientation(content) == 1
    for backend in ("cv2", "pillow"):
        assert decode_image(content, backend=backend).shape == (24, 32, 3)


def test_the_size_of_no_picture_is_refused_with_its_path(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(BadImageError, match=r"a\.jpg' cannot be read"):
        image_size(str(tmp_path / "a.jpg"))
    with pytest.raises(MissingImageError, match=r"gone\.jpg' does not exist"):
        image_size(str(tmp_path / "gone.jpg"))


def test_a_picture_is_found_by_its_name_without_ending(tmp_path):
    (tmp_path / "a.b.JPG").touch()
    assert with_ending(str(tmp_path / "a.b")) == str(tmp_path / "a.b.JPG")
    assert with_ending(str(tmp_path / "a")) is None


def test_orientation_of_what_is_no_picture_or_says_nothing_is_upright():
    assert exif_orientation(b"nothing") == exif_orientation(EIGHT_BITS["rgb.ppm"]) == 1
    exif = Image.Exif()
    exif[ORIENTATION] = 77
    assert exif_orientation(encode(RGB, "JPEG", exif=exif)) == 1


NOISE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (100, 150, 3), np.uint8), (0, 0), 2
)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.99])
def test_pictures_that_are_cut_off_are_never_half_read(form, part, capfd):
    content = encode(NOISE, form)
    with pytest.raises(BadImageError, match=r"cut off|damaged|no picture"):
        decode_image(content[: int(part * len(content))])
    for backend in ("cv2", "pillow"):
        decode_image(content, backend=backend)


def test_end_mark_of_a_thumbnail_is_not_taken_for_the_pictures():
    exif = Image.Exif()
    exif[0x927C] = encode(NOISE[:20, :20], "JPEG")  # whole JPEG inside of the head
    content = encode(NOISE, "JPEG", exif=exif)
    assert content.find(b"\xff\xd9") < len(content) // 2
    decode_image(content)
    with pytest.raises(BadImageError, match="cut off"):
        decode_image(content[:-30])


def test_data_behind_the_end_of_a_picture_does_no_harm():
    for form in ("JPEG", "PNG", "WEBP"):
        content = encode(RGB, form)
        assert np.array_equal(decode_image(content + b"\0" * 3000), decode_image(content))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (b"\0" * 5000, "nothing but zeros"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b'{"a": 1}', "JSON"),
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC picture.*convert it to JPEG"),
        (b"something else", "no picture that OpenCV or Pillow knows"),
    ],
)
@pytest.mark.parametrize("backend", ["cv2", "pillow"])
def test_what_is_no_picture_is_called_by_its_name(content, why, backend):
    with pytest.raises(BadImageError, match=why):
        decode_image(content, backend=backend)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_damage_ends_in_a_picture_or_a_bad_image(capfd):
    rng = np.random.default_rng(1)
    for content in EIGHT_BITS.values():
        for _ in range(4):
            damaged = np.frombuffer(content, np.uint8).copy()
            places = rng.integers(2, len(damaged), 6)
            damaged[places] = rng.integers(0, 256, 6)
            for backend in ("cv2", "pillow"):
                try:
                    assert decode_image(damaged.tobytes(), backend=backend).dtype == np.uint8
                except BadImageError as error:
                    assert "\n" not in str(error)


def test_read_image_names_the_file(tmp_path):
    with pytest.raises(MissingImageError, match=r"image '.*a\.png' does not exist") as missing:
        read_image(str(tmp_path / "a.png"))
    assert missing.value.path == str(tmp_path / "a.png")
    with pytest.raises(BadImageError, match="cannot be read or decoded: Is a directory") as bad:
        read_image(str(tmp_path))
    assert (bad.value.path, bad.value.why) == (str(tmp_path), "Is a directory")


def many_channels(pixels):
    """An uncompressed TIFF of any number of channels, by hand."""
    height, width, channels = pixels.shape
    bits = struct.pack(f"<{channels}H", *[pixels.itemsize * 8] * channels)
    rest = struct.pack(f"<{channels - 1}H", *[0] * (channels - 1))
    tags, head = 10, 8
    places = head + 2 + 12 * tags + 4
    data = places + len(bits) + len(rest)
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, places), (259, 3, 1, 1),
        (262, 3, 1, 1), (273, 4, 1, data), (277, 3, 1, channels), (278, 4, 1, height),
        (279, 4, 1, pixels.nbytes), (338, 3, channels - 1, places + len(bits)),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (
        b"II*\0" + struct.pack("<IH", head, tags) + directory + b"\0" * 4 + bits + rest
        + pixels.tobytes()
    )  # fmt: skip


def test_tiff_of_many_channels_is_read_with_tifffile():
    pixels = np.random.default_rng(0).integers(0, 60000, (6, 7, 5)).astype(np.uint16)
    content = many_channels(pixels)
    with pytest.raises(BadImageError, match="imdecode_backend='tifffile'"):
        decode_image(content, "unchanged")
    pytest.importorskip("tifffile")
    assert np.array_equal(decode_image(content, "unchanged", "tifffile"), pixels)
    with pytest.raises(BadImageError, match="no TIFF that is whole"):
        decode_image(content[:100], "unchanged", "tifffile")


def test_pictures_to_draw_upon_are_rgb_and_lie_as_their_detections(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / "a.png"
    path.write_bytes(encode(RGB, "PNG", exif=exif))
    assert read_rgb(str(path)).shape == (32, 24, 3)
    assert np.array_equal(read_rgb(str(path), (24, 32)), RGB)
    assert np.array_equal(read_rgb([str(path), "another"], (24, 32)), RGB)
    path.write_bytes(encode(SIXTEEN.astype(np.float32), "TIFF"))
    assert read_rgb(str(path)).shape == (24, 32, 3)


def test_any_array_can_be_looked_at():
    assert np.array_equal(as_rgb(RGB[..., ::-1]), RGB)
    assert np.array_equal(as_rgb(RGBA[..., [2, 1, 0, 3]]), RGB)
    assert np.array_equal(as_rgb(GREY), np.dstack([GREY] * 3))
    assert np.array_equal(as_rgb(GREY[..., None]), np.dstack([GREY] * 3))
    assert as_rgb(np.full((2, 2), 7, np.uint16)).max() == 0  # nothing to stretch
    json.dumps(as_rgb(np.full((2, 2, 5), np.nan)).tolist())
