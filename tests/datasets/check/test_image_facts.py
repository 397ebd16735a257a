import os
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_lite.datasets.check import load_cache, read_all_facts, save_cache
from mmdet_lite.datasets.check.duplicates import near_pairs
from mmdet_lite.datasets.check.image_facts import read_facts
from mmdet_lite.datasets.check.images import loaded_wh
from mmdet_lite.ops.image_file import read_image


@pytest.fixture
def pictures(tmp_path):
    """Paths of twenty pictures, the last of them text."""
    rng = np.random.default_rng(0)
    paths = []
    for i in range(20):
        coarse = rng.integers(0, 256, (5, 6, 3), np.uint8)
        paths.append(str(tmp_path / f"{i}.jpg"))
        cv2.imwrite(paths[-1], cv2.resize(coarse, (60, 40), interpolation=cv2.INTER_CUBIC))
    (tmp_path / "19.jpg").write_text("no picture")
    return paths


def test_facts_of_a_picture(pictures):
    facts = read_facts(pictures[0])
    assert (facts.width, facts.height, facts.orientation, facts.frames) == (60, 40, 1, 1)
    assert (facts.mode, facts.problem) == ("RGB", "")
    assert facts.size == os.path.getsize(pictures[0])
    assert len(bytes.fromhex(facts.thumbnail)) == 256 and len(facts.look) == 16
    assert "no picture" in read_facts(pictures[19]).problem


def test_width_and_height_are_upright(tmp_path):
    exif = Image.Exif()
    exif[274] = 8
    Image.new("L", (60, 40)).save(tmp_path / "a.jpg", exif=exif)
    facts = read_facts(str(tmp_path / "a.jpg"))
    assert (facts.width, facts.height, facts.orientation, facts.mode) == (40, 60, 8, "L")


def test_a_tiff_is_upright_whatever_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (60, 40)).save(tmp_path / "a.tif", exif=exif)
    facts = read_facts(str(tmp_path / "a.tif"))
    assert (facts.width, facts.height) == (40, 60)
    for color_type in ("color", "unchanged"):
        turns_upright = color_type == "color"
        loaded = read_image(str(tmp_path / "a.tif"), color_type)
        assert loaded_wh(facts, turns_upright) == (loaded.shape[1], loaded.shape[0])


def test_animations_count_their_frames(tmp_path):
    frames = [Image.new("L", (9, 9), 80 * shade) for shade in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_facts(str(tmp_path / "a.gif")).frames == 3


def test_a_folder_with_a_pictures_name_is_a_problem(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    assert read_facts(str(tmp_path / "a.jpg")).problem


def test_workers_find_what_one_process_finds(pictures):
    seen = []

    def track(items, what):
        seen.extend(items)
        return items

    alone = read_all_facts(pictures, {}, track=track)
    assert seen == list(alone) and len(seen) == 20
    assert read_all_facts(pictures, {}, workers=2) == alone


def test_missing_pictures_have_no_facts(pictures):
    assert list(read_all_facts(["gone.jpg", pictures[0]], {})) == [pictures[0]]


def test_cache_gives_back_what_was_kept_and_only_changed_files_are_read(
    pictures, tmp_path, monkeypatch
):
    facts = read_all_facts(pictures, {})
    save_cache(tmp_path / "new" / "cache.json.gz", facts)
    known = load_cache(tmp_path / "new" / "cache.json.gz")
    assert known == facts
    shutil.copyfile(pictures[1], pictures[0])
    read = []
    monkeypatch.setattr(
        "mmdet_lite.datasets.check.image_facts.read_facts",
        lambda path: read.append(path) or facts[path],
    )
    read_all_facts(pictures, known)
    assert read == [pictures[0]]


@pytest.mark.parametrize("content", [None, b"", b"\x1f\x8b\x08\x00broken", b"{}"])
def test_caches_that_cannot_be_read_are_empty(tmp_path, content):
    if content is not None:
        (tmp_path / "c.json.gz").write_bytes(content)
    assert load_cache(tmp_path / "c.json.gz") == {}


def test_near_pairs_are_those_that_differ_in_few_bits_and_little_grey():
    rng = np.random.default_rng(3)
    looks = rng.integers(0, 2**63, 300, dtype=np.uint64)
    thumbnails = rng.integers(0, 256, (300, 256), np.uint8)
    looks[7] = looks[3] ^ np.uint64(0b1001 << 40)
    thumbnails[7] = np.clip(thumbnails[3].astype(int) + 2, 0, 255)
    looks[200] = looks[100]  # looks alike, but the greys differ
    looks[50] = looks[40] ^ np.uint64(0x1F)
    thumbnails[50] = thumbnails[40]  # five bits are too many
    assert near_pairs(looks, thumbnails).tolist() == [[3, 7]]


def test_many_frames_of_one_scene_are_each_paired_once():
    rng = np.random.default_rng(3)
    looks = np.full(500, rng.integers(0, 2**63, dtype=np.uint64))
    thumbnails = np.repeat(rng.integers(0, 256, (1, 256), np.uint8), 500, axis=0)
    pairs = near_pairs(looks, thumbnails)
    assert set(pairs[:, 1].tolist()) == set(range(1, 500))
    assert len(pairs) < 1000


def test_no_pictures_have_no_pairs():
    none = near_pairs(np.zeros(0, np.uint64), np.zeros((0, 256), np.uint8))
    assert none.shape == (0, 2)


def test_photographs_of_coco_have_no_near_copies_but_their_smaller_selves(shared_dir, tmp_path):
    chosen = sorted((shared_dir / "data/coco/val2017").glob("*.jpg"))[:30]
    copies = []
    for path in chosen[:5]:
        pixels = cv2.imread(str(path))
        small = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        copies.append(str(tmp_path / path.name))
        cv2.imwrite(copies[-1], small, [cv2.IMWRITE_JPEG_QUALITY, 50])
    paths = [*map(str, chosen), *copies]
    facts = read_all_facts(paths, {}, workers=2)
    looks = np.array([int(facts[path].look, 16) for path in paths], np.uint64)
    raw = b"".join(bytes.fromhex(facts[path].thumbnail) for path in paths)
    found = near_pairs(looks, np.frombuffer(raw, np.uint8).reshape(-1, 256))
    assert found.tolist() == [[i, 30 + i] for i in range(5)]
