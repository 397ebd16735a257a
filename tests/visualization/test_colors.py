"""Colours that can be told apart and read on."""

import colorsys

from mmdet_lite.visualization import contrasting, generated_palette, instance_colors


def distance(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def test_first_instance_has_its_classs_colour_and_the_next_is_near_but_different() -> None:
    first, other_class, second = instance_colors([0, 1, 0], [(220, 20, 60), (30, 200, 40)])
    assert first == (220, 20, 60)
    assert other_class == (30, 200, 40)
    assert 10 < distance(first, second) < distance(first, other_class) / 2


def test_a_single_class_spreads_its_instances_widely() -> None:
    colors = instance_colors([0] * 4, [(220, 20, 60)])
    pairs = [(a, b) for n, a in enumerate(colors) for b in colors[:n]]
    assert min(distance(a, b) for a, b in pairs) > 60


def test_generated_neighbours_have_distant_hues() -> None:
    palette = generated_palette(10)
    hues = [colorsys.rgb_to_hsv(*(c / 255 for c in color))[0] for color in palette]
    steps = [abs(a - b) for a, b in zip(hues[1:], hues, strict=False)]
    assert all(min(step, 1 - step) > 0.25 for step in steps)
    assert len(set(palette)) == 10


def test_labels_beyond_the_palette_get_a_colour() -> None:
    assert len(instance_colors([5, 2], [(1, 2, 3)])) == 2
    assert instance_colors([], None) == []


def test_text_is_dark_on_light_and_white_on_dark() -> None:
    assert contrasting((250, 240, 90)) == (20, 20, 20)
    assert contrasting((90, 20, 120)) == (255, 255, 255)
