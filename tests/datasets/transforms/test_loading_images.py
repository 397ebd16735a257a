"""Pictures from disk and from memory."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_lite.registry import TRANSFORMS

ORIENTATION = 274
COLOURS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def load(path, sample=None, **kwargs):
    transform = TRANSFORMS.build({"type": "LoadImageFromFile", **kwargs})
    return transform({"img_path": str(path), **(sample or {})})


def write_lying(path, orientation=6):
    """A picture of 30 x 20 that is stored so, and turned it is 20 x 30."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(COLOURS).save(path, exif=exif)


def test_image_is_loaded_as_bgr_uint8_with_its_shapes(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), COLOURS)
    results = load(tmp_path / "a.png", backend_args=None)
    assert np.array_equal(results["img"], COLOURS) and results["img"].dtype == np.uint8
    assert results["img_shape"] == results["ori_shape"] == (20, 30)
    assert load(tmp_path / "a.png", to_float32=True)["img"].dtype == np.float32
    assert load(tmp_path / "a.png", color_type="grayscale")["img"].shape == (20, 30)
    pillow = load(tmp_path / "a.png", imdecode_backend="pillow")["img"]
    assert np.array_equal(pillow, COLOURS)


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
@pytest.mark.parametrize("content", [b"", b"no image at all"])
def test_unreadable_image_stops_with_its_path(tmp_path, content, backend):
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"image '.*bad.jpg' cannot be read or decoded"):
        load(tmp_path / "bad.jpg", imdecode_backend=backend)
    assert load(tmp_path / "bad.jpg", imdecode_backend=backend, ignore_empty=True) is None


def test_missing_image_stops_with_its_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"image '.*none.jpg' does not exist; check data"):
        load(tmp_path / "none.jpg")
    assert load(tmp_path / "none.jpg", ignore_empty=True) is None
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"color_type": "gray"}, r"color_type='gray' is not supported; did you mean 'grayscale'"),
        ({"imdecode_backend": "turbojpeg"}, "imdecode_backend='turbojpeg' is not supported"),
        ({"imdecode_backend": "tifffile"}, "needs color_type='unchanged'"),
        ({"file_client_args": {"backend": "disk"}}, "file_client_args is gone, use backend_args"),
    ],
)
def test_arguments_that_cannot_be_honoured_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load("a.jpg", **arguments)


def test_picture_of_another_size_than_the_data_set_says_stops(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), COLOURS)
    assert load(tmp_path / "a.png", {"height": 20, "width": 30})["img_shape"] == (20, 30)
    with pytest.raises(ValueError, match=r"measures 30x20 .*says 31x20: .*correct height and wid"):
        load(tmp_path / "a.png", {"height": 20, "width": 31})
    with pytest.raises(ValueError, match="swapped: correct height and width in the annotation"):
        load(tmp_path / "a.png", {"height": 30, "width": 20})


def test_lying_picture_is_turned_and_annotations_of_it_as_stored_stop_with_the_ways_out(tmp_path):
    write_lying(tmp_path / "a.png")
    assert load(tmp_path / "a.png", {"height": 30, "width": 20})["img_shape"] == (30, 20)
    as_stored = {"height": 20, "width": 30}
    with pytest.raises(ValueError) as error:
        load(tmp_path / "a.png", as_stored)
    assert "EXIF orientation 6" in str(error.value) and "measures 20x30" in str(error.value)
    way_out = "color_type='color_ignore_orientation'"
    assert way_out in str(error.value)
    read = load(tmp_path / "a.png", as_stored, color_type="color_ignore_orientation")
    assert np.array_equal(read["img"], COLOURS[..., ::-1])


def test_picture_that_is_left_lying_but_annotated_upright_stops(tmp_path):
    write_lying(tmp_path / "a.png")
    for color_type in ("color_ignore_orientation", "unchanged"):
        with pytest.raises(ValueError, match=rf"annotated upright, but color_type='{color_type}'"):
            load(tmp_path / "a.png", {"height": 30, "width": 20}, color_type=color_type)


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_orientation_that_keeps_the_size_is_applied_too(tmp_path, orientation):
    write_lying(tmp_path / "a.png", orientation)
    turned = {2: COLOURS[:, ::-1], 3: COLOURS[::-1, ::-1], 4: COLOURS[::-1]}[orientation]
    read = load(tmp_path / "a.png", {"height": 20, "width": 30})
    assert np.array_equal(read["img"], turned[..., ::-1])


@pytest.mark.parametrize(
    ("color_type", "shape"),
    [("color", (6, 5, 3)), ("grayscale", (6, 5)), ("unchanged", (6, 5, 3))],
)
def test_unreadable_image_of_a_test_is_black_in_the_size_that_is_said(color_type, shape):
    sample = {"height": 6, "width": 5, "unreadable": True}
    results = load("no such file", sample, color_type=color_type)
    assert results["img"].shape == shape and not results["img"].any()
    assert results["ori_shape"] == (6, 5)


def write_channels(folder, num=5, dtype=np.uint8):
    planes = np.random.default_rng(1).integers(0, 200, (num, 20, 30)).astype(dtype)
    paths = [str(folder / f"channel{i}.png") for i in range(num)]
    for path, plane in zip(paths, planes, strict=True):
        cv2.imwrite(path, plane)
    return paths, planes


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("key", ["img_path", "channel_paths"])
def test_channels_of_several_files_are_stacked_in_their_order(tmp_path, dtype, key):
    paths, planes = write_channels(tmp_path, dtype=dtype)
    transform = TRANSFORMS.build({"type": "LoadMultiChannelImageFromFiles"})
    results = transform({"img_path": "shown.png", "height": 20, "width": 30, key: paths})
    assert np.array_equal(results["img"], planes.transpose(1, 2, 0))
    assert results["img"].dtype == dtype and results["img_shape"] == (20, 30)
    packed = TRANSFORMS.build({"type": "PackDetInputs"})(results)
    assert np.array_equal(packed["inputs"].numpy(), planes)
    floats = TRANSFORMS.build({"type": "LoadMultiChannelImageFromFiles", "to_float32": True})
    assert floats({"img_path": paths})["img"].dtype == np.float32


def test_files_of_colours_add_three_channels(tmp_path):
    paths, planes = write_channels(tmp_path, 1)
    cv2.imwrite(str(tmp_path / "rgb.png"), COLOURS)
    transform = TRANSFORMS.build({"type": "LoadMultiChannelImageFromFiles"})
    img = transform({"img_path": [str(tmp_path / "rgb.png"), *paths]})["img"]
    assert np.array_equal(img, np.dstack([COLOURS, planes[0]]))


def test_channels_that_do_not_fit_and_missing_lists_stop(tmp_path):
    paths, _ = write_channels(tmp_path, 2)
    transform = TRANSFORMS.build({"type": "LoadMultiChannelImageFromFiles"})
    cv2.imwrite(paths[1], np.zeros((20, 31), np.uint8))
    with pytest.raises(ValueError, match=r"differ in height, width or type: .*channel0.*channel1"):
        transform({"img_path": paths})
    with pytest.raises(
        ValueError, match="names no files of its channels; list them in channel_fil"
    ):
        transform({"img_path": paths[0]})
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        transform({"img_path": [paths[0], str(tmp_path / "no.png")]})
    blank = transform({"img_path": paths, "height": 4, "width": 3, "unreadable": True})["img"]
    assert blank.shape == (4, 3, 2)


def from_array(image, **kwargs):
    before = image.copy()
    results = TRANSFORMS.build({"type": "LoadImageFromNDArray", **kwargs})(
        {"img": image, "img_id": 1}
    )
    assert np.array_equal(image, before)
    return results


def test_image_from_memory_needs_no_path():
    image = np.zeros((4, 5, 3), np.uint8)
    results = from_array(image)
    assert results["img"] is image and results["img_path"] is None
    assert results["img_shape"] == results["ori_shape"] == (4, 5)
    assert from_array(image, to_float32=True)["img"].dtype == np.float32


def test_array_gets_the_channels_that_files_would_get():
    grey, alpha = COLOURS[..., 0], np.dstack([COLOURS, COLOURS[..., :1]])
    assert np.array_equal(from_array(grey)["img"], np.dstack([grey] * 3))
    assert np.array_equal(from_array(alpha)["img"], COLOURS)
    expected = cv2.cvtColor(COLOURS, cv2.COLOR_BGR2GRAY)
    for image in (COLOURS, alpha):
        assert np.array_equal(from_array(image, color_type="grayscale")["img"], expected)
    assert np.array_equal(from_array(grey[..., None], color_type="grayscale")["img"], grey)
    five = np.dstack([COLOURS, COLOURS[..., :2]])
    assert from_array(five, color_type="unchanged")["img"] is five
    with pytest.raises(ValueError, match="array of 5 channels cannot become a grey picture"):
        from_array(five, color_type="grayscale")
