"""Pictures whose channels are files of their own: all of their files are looked at."""

import json

import cv2
import numpy as np
import pytest
from sets_to_spoil import draw_images, drawn_content

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.check import (
    annotated_set,
    check_before_training,
    check_sets,
    fix_content,
    read_all_facts,
)


@pytest.fixture
def many_channels(tmp_path):
    """Content of four images with two channel files each, and a function to its report."""
    content = drawn_content(4)
    draw_images(content, tmp_path)
    for image in content["images"]:
        names = [f"{image['id']}_{channel}.png" for channel in ("red", "nir")]
        image["channel_file_names"] = names
        for number, name in enumerate(names):
            rng = np.random.default_rng([image["id"], number])
            pixels = cv2.resize(rng.integers(0, 256, (6, 8), np.uint8), (200, 150))
            cv2.imwrite(str(tmp_path / name), pixels)
    return content, tmp_path


def codes(content, folder):
    data = annotated_set("train", "a.json", str(folder), content)
    facts = read_all_facts([path for files in data.image_files for path in files], {})
    return [finding.code for finding in check_sets("s", [data], facts).findings]


def test_good_channels_have_no_finding_and_are_not_unlisted(many_channels):
    assert codes(*many_channels) == []


def test_missing_broken_and_resized_channels_are_found(many_channels):
    content, folder = many_channels
    (folder / "1_nir.png").unlink()
    (folder / "2_red.png").write_bytes(b"")
    cv2.imwrite(str(folder / "3_nir.png"), np.zeros((20, 30), np.uint8))
    assert codes(content, folder) == ["image-missing", "image-broken", "image-size"]


def test_missing_channel_is_refused_before_training(many_channels):
    content, folder = many_channels
    (folder / "a.json").write_text(json.dumps(content))
    dataset = CocoDataset("a.json", data_root=str(folder), data_prefix={"img": ""})
    check_before_training(dataset)
    (folder / "1_nir.png").unlink()
    with pytest.raises(ValueError, match=r"1_nir\.png"):
        check_before_training(dataset)


def test_images_of_one_file_name_and_other_channels_are_not_one_picture(many_channels):
    content, folder = many_channels
    for image in content["images"]:
        image["file_name"] = "1.png"
    data = annotated_set("train", "a.json", str(folder), content)
    assert not [f for f in check_sets("s", [data]).findings if f.severity != "note"]
    mended, _ = fix_content(data)
    assert len(mended["images"]) == 4
