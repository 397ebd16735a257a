"""Charts: what is drawn is what was counted, and names are never formulas."""

import base64
import re

import pytest

from mmdet_lite.visualization import charts


def svg(figure: object) -> str:
    head, content = charts.svg_uri(figure).split(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(content).decode()


def test_every_class_is_named_with_its_number() -> None:
    sets = {"train": {"cat": 1200, "$a_b$ <dog>": 3}, "val": {"cat": 7, "$a_b$ <dog>": 0}}
    figure = charts.new_figure(6, 3)
    charts.draw_classes(figure.subplots(1, 2), sets)
    text = svg(figure)
    shown = re.findall(r">([^<>]+)</text>", text)
    assert {"cat", "$a_b$ &lt;dog&gt;", "train", "val"} <= set(shown)
    assert {" 1,200", " 3", " 7", " 0"} <= set(shown)


def test_of_many_classes_most_and_least_frequent_are_drawn() -> None:
    sets = {"train": {f"c{n}": n for n in range(100)}}
    names, gap = charts.shown_classes(sets)
    assert len(names) == 30 and gap == 15
    assert names[0] == "c99" and names[-1] == "c0"
    figure = charts.new_figure(6, 8)
    charts.draw_classes([figure.subplots()], sets)
    assert "70 classes between" in svg(figure)


def test_sets_of_different_size_are_compared_in_percent() -> None:
    figure = charts.new_figure(5, 3)
    axes = figure.subplots()
    sets = {"train": ((1, 2, 4), (10, 30)), "val": ((1, 2, 4), (1, 3)), "none": ((1, 2), (0,))}
    charts.draw_histogram(axes, sets, "side", log=True)
    heights = [patch.get_data().values.tolist() for patch in axes.patches]
    assert heights == [[25, 75]] * 4  # filling and outline of the two sets
    assert axes.get_ylabel() == "% of the set" and axes.get_xscale() == "log"
    assert "none (none)" in svg(figure)


def test_one_set_is_drawn_in_numbers_from_where_something_is() -> None:
    axes = charts.new_figure(5, 3).subplots()
    charts.draw_histogram(axes, {"train": ((0, 10, 20, 30), (0, 4, 0))}, "side")
    assert axes.patches[0].get_data().values.tolist() == [0, 4, 0]
    assert axes.get_ylabel() == "number"
    assert axes.get_xlim() == (9.8, 20)


@pytest.mark.parametrize("sizes", [[(640, 480, 5), (480, 640, 1)], []])
def test_sizes_of_images_are_dots(sizes: list[tuple[int, int, int]]) -> None:
    axes = charts.new_figure(5, 3).subplots()
    charts.draw_image_sizes(axes, {"train": sizes, "val": [(100, 100, 1)]})
    assert axes.collections[0].get_offsets().tolist() == [list(s[:2]) for s in sizes]


def test_without_classes_nothing_breaks() -> None:
    figure = charts.new_figure(5, 3)
    charts.draw_classes([figure.subplots()], {"train": {}})
    assert "train" in svg(figure)
