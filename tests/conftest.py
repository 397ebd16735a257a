"""Fixtures shared by all tests."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def seeded_and_scoped() -> None:
    """Same random numbers in every test, and names looked up in our registries."""
    torch.manual_seed(0)
    np.random.seed(0)
    init_default_scope("mmdet_lite")


@pytest.fixture
def shared_dir() -> Path:
    """A folder of real images and reference numbers beside the checkout, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("no folder ../shared with real data beside this checkout")
    return SHARED


# file name without its ending -> (picture size h, w; instance id -> box x1 y1 x2 y2)
STREETS = {
    "train/aachen/aachen_000000_000019": ((120, 160), {26000: (20, 30, 80, 90)}),
    "val/frankfurt/frankfurt_000000_000294": (
        (120, 160),
        {
            26000: (10, 20, 50, 50),
            26001: (60, 20, 100, 50),
            24000: (110, 30, 130, 90),
            26: (10, 70, 50, 100),
            29000: (60, 60, 80, 80),
            4: (90, 95, 150, 115),
        },
    ),
    "val/munster/munster_000001_000019": (
        (100, 140),
        {33000: (10, 20, 50, 60), 25: (70, 20, 110, 60)},
    ),
    "val/lindau/lindau_000002_000019": ((100, 140), {24: (30, 30, 90, 80)}),
    "test/berlin/berlin_000000_000019": ((100, 140), {1: (0, 80, 140, 100)}),
}


@pytest.fixture
def cityscapes_root(tmp_path: Path) -> Path:
    """A folder in Cityscapes' layout: cars, a person, a bicycle, groups, void, on road (id 7)."""
    root = tmp_path / "cityscapes"
    for stem, (size, boxes) in STREETS.items():
        ids = np.full(size, 7, np.uint16)
        picture = np.full((*size, 3), 90, np.uint8)
        for number, (inst_id, (x1, y1, x2, y2)) in enumerate(boxes.items()):
            ids[y1:y2, x1:x2] = inst_id
            picture[y1:y2, x1:x2] = (40 * number, 120, 250 - 40 * number)
        for folder, ending, content in (
            ("leftImg8bit", "leftImg8bit", picture),
            ("gtFine", "gtFine_instanceIds", ids),
        ):
            path = root / folder / f"{stem}_{ending}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), content)
    return root
