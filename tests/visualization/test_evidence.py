"""Pictures as evidence: the box in question is seen, however small or far out."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_lite.visualization.evidence import draw_evidence, evidence_uri, shown_window

GREY = np.full((300, 400, 3), 90, np.uint8)


def reds(picture: np.ndarray) -> np.ndarray:
    values = picture.astype(int)
    return (values[..., 0] > 180) & (values[..., 1] < 90)


def test_the_box_is_red_at_its_place_and_the_picture_unchanged() -> None:
    before = GREY.copy()
    drawn = draw_evidence(GREY, [(100, 60, 300, 240)], 400, 300)
    rows, columns = np.nonzero(reds(drawn))
    assert abs(rows.min() - 60) <= 2 and abs(rows.max() - 240) <= 2
    assert abs(columns.min() - 100) <= 2 and abs(columns.max() - 300) <= 2
    assert np.array_equal(GREY, before)


def test_a_small_box_is_cut_out() -> None:
    assert shown_window(3000, 4000, [(1000, 1000, 1040, 1020)]) == (920, 910, 1120, 1110)
    drawn = draw_evidence(np.full((3000, 4000, 3), 90, np.uint8), [(0, 0, 40, 20)], 400, 300)
    assert reds(drawn).sum() > 300


def test_a_box_outside_is_followed_over_stripes() -> None:
    assert shown_window(300, 400, [(420, 100, 460, 150)]) == (0, 0, 464, 300)
    drawn = draw_evidence(GREY, [(420, 100, 460, 150)], 464, 300)
    assert drawn.shape == (300, 464, 3) and reds(drawn)[:, 415:].any()
    beyond = drawn[:, 402:].astype(int)
    assert {230, 205} <= set(np.unique(beyond))


@pytest.mark.parametrize("box", [(9e6, 9e6, 9.1e6, 9.1e6), (-9e6, -5, -8e6, 5)])
def test_a_box_far_away_costs_no_more_than_half_the_picture(box) -> None:
    x1, y1, x2, y2 = shown_window(300, 400, [box])
    assert x2 - x1 <= 610 and y2 - y1 <= 460
    assert reds(draw_evidence(GREY, [box], 400, 300)).any()


@pytest.mark.parametrize("box", [(50, 50, 50, 50), (80, 70, 60, 40), (10.2, 10.2, 10.4, 300)])
def test_a_box_without_area_or_the_wrong_way_round_is_seen(box) -> None:
    assert reds(draw_evidence(GREY, [box], 400, 300)).sum() > 50


def test_without_boxes_the_picture_is_shown() -> None:
    assert (draw_evidence(GREY, [], 200, 200) == 90).all()
    assert draw_evidence(GREY, [], 200, 200).shape == (150, 200, 3)


def test_uri_holds_a_jpeg_of_the_file(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), GREY)
    uri = evidence_uri(str(tmp_path / "a.png"), [], 200, 200)
    head, content = uri.split(",")
    assert head == "data:image/jpeg;base64"
    pixels = np.frombuffer(base64.b64decode(content), np.uint8)
    assert cv2.imdecode(pixels, cv2.IMREAD_COLOR).shape == (150, 200, 3)
    with pytest.raises(FileNotFoundError, match=r"b\.png"):
        evidence_uri(str(tmp_path / "b.png"), [], 200, 200)


def test_a_picture_of_32_bits_is_evidence_too(tmp_path: Path) -> None:
    depths = np.linspace(280, 310, 300 * 400, dtype=np.float32).reshape(300, 400)
    cv2.imwrite(str(tmp_path / "a.tif"), depths)
    uri = evidence_uri(str(tmp_path / "a.tif"), [(100, 60, 300, 240)], 400, 300)
    content = np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8)
    drawn = cv2.imdecode(content, cv2.IMREAD_COLOR)
    assert drawn.shape == (300, 400, 3)
    assert drawn[5].mean() < 20
    assert drawn[-5].mean() > 230
