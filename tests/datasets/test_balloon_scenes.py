"""The drawn balloon set: same bytes, honest outlines, scenes as promised."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.datasets.balloon_scenes import Scene, draw_scene, existing_splits, write_split
from mmdet_lite.datasets.balloon_scenes.balloons import paint_balloon, rasterise, sample_balloon
from mmdet_lite.datasets.balloon_scenes.canvas import Canvas
from mmdet_lite.datasets.balloon_scenes.scene import _instance_map, outline
from mmdet_lite.datasets.balloon_scenes.stages import STAGES


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(0, "train", index) for index in range(24)]


def filled(scene: Scene, polygon: np.ndarray) -> np.ndarray:
    mask = np.zeros(scene.instance_map.shape, np.uint8)
    cv2.fillPoly(mask, [polygon], 1)
    return mask.astype(bool)


def test_polygons_match_the_visible_pixels(scenes: list[Scene]) -> None:
    for scene in scenes:
        for i, polygon in enumerate(scene.polygons):
            visible, inside = scene.instance_map == i + 1, filled(scene, polygon)
            assert (visible & inside).sum() / (visible | inside).sum() > 0.9


def test_scenes_keep_what_the_docs_promise(scenes: list[Scene]) -> None:
    counts = [len(scene.polygons) for scene in scenes]
    assert min(counts) >= 1 and max(counts) <= 12
    assert 3 <= np.mean(counts) <= 5
    assert 1 in counts
    for scene in scenes:
        assert scene.image.shape == (480, 640, 3) and scene.image.dtype == np.uint8
        assert set(np.unique(scene.instance_map)) == set(range(len(scene.polygons) + 1))
        for polygon in scene.polygons:
            assert 15 <= len(polygon) <= 60
            assert (np.ptp(polygon, axis=0) >= 21).all()
            assert (polygon >= 0).all() and (polygon < (640, 480)).all()
    assert {scene.stage for scene in scenes} == set(STAGES)


def test_scales_reach_from_small_to_large(scenes: list[Scene]) -> None:
    sides = [np.ptp(polygon, axis=0).max() for scene in scenes for polygon in scene.polygons]
    assert min(sides) < 40 and max(sides) > 150


@pytest.mark.parametrize("angle", [0.0, 0.9, -2.0])
def test_a_balloon_changes_exactly_the_pixels_of_its_mask(angle: float) -> None:
    canvas = Canvas(320, 240)
    balloon = sample_balloon(np.random.default_rng(3), 300, 200, 60, (40, 60, 220), angle)
    pixels = rasterise(balloon, canvas)
    assert pixels is not None
    paint_balloon(balloon, pixels, canvas, (0.3, -0.6, 0.74))
    expected = np.zeros(canvas.image.shape[:2], bool)
    height, width = pixels.mask.shape
    window = (slice(pixels.y0, pixels.y0 + height), slice(pixels.x0, pixels.x0 + width))
    expected[window] = pixels.mask > 0
    np.testing.assert_array_equal(canvas.image.any(axis=2), expected)
    assert pixels.full_area == expected.sum()


def test_balloon_outside_the_picture_has_no_pixels() -> None:
    balloon = sample_balloon(np.random.default_rng(0), -400, 100, 30, (0, 0, 255))
    assert rasterise(balloon, Canvas(320, 240)) is None


def test_what_stands_in_front_hides_the_balloon() -> None:
    canvas = Canvas(320, 240)
    front = canvas.new_layer()
    balloon = sample_balloon(np.random.default_rng(0), 320, 200, 60, (0, 0, 255))
    pixels = rasterise(balloon, canvas)
    assert pixels is not None
    free = _instance_map([pixels], front)
    front.fill([(320, 0), (640, 0), (640, 480), (320, 480)], (10, 10, 10))
    half = _instance_map([pixels], front)
    assert free[:, 160:].any() and not half[:, 160:].any()
    np.testing.assert_array_equal(free[:, :160], half[:, :160])


def test_the_later_balloon_of_a_list_is_in_front() -> None:
    canvas = Canvas(320, 240)
    masks = []
    for x in (300, 340):
        balloon = sample_balloon(np.random.default_rng(0), x, 200, 60, (0, 0, 255))
        pixels = rasterise(balloon, canvas)
        assert pixels is not None
        masks.append(pixels)
    both, second = (_instance_map(m, canvas.new_layer()) for m in (masks, masks[1:]))
    np.testing.assert_array_equal(both == 2, second == 1)
    assert 0 < (both == 1).sum() < (both == 2).sum()


def test_outline_of_a_mask_takes_its_largest_piece() -> None:
    mask = np.zeros((60, 80), bool)
    mask[2:5, 2:5] = True
    mask[20:50, 30:70] = True
    points = outline(mask)
    assert points.min(axis=0).tolist() == [30, 20] and points.max(axis=0).tolist() == [69, 49]


def test_scene_depends_on_seed_split_and_index_alone() -> None:
    first = draw_scene(1, "train", 5)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    np.random.seed(99)
    again = draw_scene(1, "train", 5)
    cv2.setNumThreads(threads)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.instance_map, again.instance_map)
    for other in (draw_scene(2, "train", 5), draw_scene(1, "val", 5), draw_scene(1, "train", 6)):
        assert not np.array_equal(first.image, other.image)


def test_other_picture_sizes_work_and_strange_ones_say_why() -> None:
    scene = draw_scene(0, "val", 3, (320, 240))
    assert scene.image.shape == (240, 320, 3)
    assert all((np.ptp(polygon, axis=0) >= 10).all() for polygon in scene.polygons)
    assert draw_scene(0, "val", 3, (301, 227)).instance_map.shape == (227, 301)
    for size_wh in ((80, 60), (1000, 200), (-640, -480)):
        with pytest.raises(ValueError, match="at least 160x120"):
            draw_scene(0, "val", 0, size_wh)


def test_split_on_disk_has_the_public_sets_layout(tmp_path: Path) -> None:
    path = write_split(tmp_path / "val", "val", range(3), 0, (320, 240))
    assert path == tmp_path / "val" / "via_region_data.json"
    assert existing_splits(tmp_path) == ["val"]
    via = json.loads(path.read_text())
    assert len(via) == 3
    for key, entry in via.items():
        assert key == f"{entry['filename']}{entry['size']}"
        assert set(entry) == {
            "fileref", "size", "filename", "base64_img_data", "file_attributes", "regions",
        }  # fmt: skip
        data = (tmp_path / "val" / entry["filename"]).read_bytes()
        assert len(data) == entry["size"]
        assert cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape == (240, 320, 3)
        assert list(entry["regions"]) == [str(i) for i in range(len(entry["regions"]))]
        shape = entry["regions"]["0"]["shape_attributes"]
        assert shape["name"] == "polygon"
        assert len(shape["all_points_x"]) == len(shape["all_points_y"]) >= 15
        assert all(isinstance(x, int) for x in shape["all_points_x"])
    assert sorted(file.suffix for file in (tmp_path / "val").iterdir()) == [".jpg"] * 3 + [".json"]


def test_split_without_scenes_is_an_empty_dict(tmp_path: Path) -> None:
    assert json.loads(write_split(tmp_path, "train", []).read_text()) == {}
