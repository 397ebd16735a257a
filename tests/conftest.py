"""Fixtures shared by all tests."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

torch.set_num_threads(2)
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
