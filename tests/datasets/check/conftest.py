"""Small sets to put one mistake into."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from sets_to_spoil import SpoiltSet, draw_images, drawn_content, photographs


@pytest.fixture
def drawn_set(tmp_path):
    """Eight drawn images without a mistake."""
    content = drawn_content()
    draw_images(content, tmp_path / "images")
    return SpoiltSet(content, tmp_path)


@pytest.fixture(params=["drawn", "photographs"])
def any_set(request, tmp_path):
    """Eight drawn images, or, where they are there, eight photographs of COCO."""
    if request.param == "drawn":
        return request.getfixturevalue("drawn_set")
    content, pictures = photographs(request.getfixturevalue("shared_dir"))
    (tmp_path / "images").mkdir()
    for image in content["images"]:
        (tmp_path / "images" / image["file_name"]).symlink_to(pictures / image["file_name"])
    return SpoiltSet(content, tmp_path)
