import numpy as np
import pytest

from mmdet_lite.datasets.check.polygons import read_polygons


def crosses_by_hand(polygon):
    """Every pair of sides that are no neighbours, one after the other."""
    points = np.array(polygon, np.float64).reshape(-1, 2)
    n = len(points)

    def turn(a, b, c):
        return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    for i in range(n):
        for j in range(i + 2, n):
            a, b, c, d = points[i], points[(i + 1) % n], points[j], points[(j + 1) % n]
            if turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0:
                return True
    return False


@pytest.mark.parametrize("num_points", [3, 4, 5, 6, 7, 12])
def test_crossing_is_what_all_pairs_of_sides_say(num_points):
    rng = np.random.default_rng(num_points)
    polygons = rng.uniform(0, 50, (60, 2 * num_points)).tolist()
    angles = np.sort(rng.uniform(0, 6.28, (40, num_points)))
    stars = np.stack([50 + 20 * np.cos(angles), 50 + 20 * np.sin(angles)], -1).reshape(40, -1)
    polygons += stars.tolist()
    expected = [crosses_by_hand(polygon) for polygon in polygons]
    found, _ = read_polygons(range(len(polygons)), polygons)
    assert found.crossing.tolist() == expected
    assert num_points == 3 or (True in expected and False in expected)


def test_bounds_areas_and_closing_of_polygons_of_several_lengths():
    square, triangle = [0, 0, 4, 0, 4, 4, 0, 4, 0, 0], [1, 1, 7, 1, 1, 5]
    found, wrong = read_polygons([3, 5], [square, triangle])
    assert wrong == {}
    assert found.owners.tolist() == [3, 5]
    assert found.bounds.tolist() == [[0, 0, 4, 4], [1, 1, 7, 5]]
    assert found.areas.tolist() == [16, 12]
    assert found.closed.tolist() == [True, False]


def test_unusable_polygons_are_set_aside_with_their_owners():
    good = [0, 0, 4, 0, 4, 4]
    given = [good, [1, 2, 3, 4], "no", [*good, 1], [0, 0, float("nan"), 0, 1, 1], ["1"] * 6]
    found, wrong = read_polygons(range(6), given)
    assert found.owners.tolist() == [0]
    assert {code: owners.tolist() for code, owners in wrong.items()} == {
        "polygon-malformed": [2, 5],
        "polygon-short": [1],
        "polygon-odd": [3],
        "polygon-not-finite": [4],
    }


def test_no_polygons_at_all():
    found, wrong = read_polygons([], [])
    assert wrong == {}
    assert found.bounds.shape == (0, 4)
    assert found.areas.shape == found.crossing.shape == found.closed.shape == (0,)
