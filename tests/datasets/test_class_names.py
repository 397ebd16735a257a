"""Palettes and the table of two name lists."""

from itertools import pairwise

import pytest

from mmdet_lite.datasets.class_names import (
    check_metainfo,
    generate_palette,
    map_categories,
    side_by_side,
)


@pytest.mark.parametrize(
    ("wrong", "right"), [("clases", "classes"), ("class", "classes"), ("pallete", "palette")]
)
def test_misspelt_key_of_metainfo_is_refused(wrong, right):
    with pytest.raises(ValueError, match=f"key '{wrong}'; did you mean '{right}'"):
        check_metainfo({wrong: ("balloon",)})


def test_other_keys_of_metainfo_are_the_users_own():
    check_metainfo({"dataset_type": "x", "task_name": "y", "thing_classes": ("a",), "CITY": 1})


def test_palette_colours_are_distinct_and_do_not_depend_on_the_number():
    for num_classes in (0, 1, 80, 1203):
        palette = generate_palette(num_classes)
        assert len(set(palette)) == len(palette) == num_classes
        assert all(0 <= channel <= 255 for color in palette for channel in color)
    assert generate_palette(80)[:5] == generate_palette(5)


def test_neighbouring_classes_differ_clearly_in_colour():
    palette = generate_palette(80)
    for first, second in pairwise(palette):
        assert sum(abs(a - b) for a, b in zip(first, second, strict=True)) > 120


def test_categories_map_by_name_whatever_their_ids():
    categories = [{"id": 30, "name": "b"}, {"id": 1, "name": "c"}, {"id": 7, "name": "a"}]
    assert map_categories(categories, ("a", "b"), "f.json") == {30: 1, 7: 0}


def test_table_copes_with_lists_of_different_length():
    table = side_by_side("left", [], "right", ["x", "y"])
    assert table.splitlines() == ["  left | right", "       | x -", "       | y -"]
