import random

import numpy as np
import torch

from mmdet_lite.checkpoint import load_checkpoint_file, save_checkpoint
from mmdet_lite.engine import random_state, restore_random_state


def draw():
    return random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), torch.rand(2)


def test_numbers_repeat_after_going_through_a_file(tmp_path):
    draw()
    save_checkpoint({"state": random_state()}, tmp_path / "a.pth")
    first = draw()
    draw()
    restore_random_state(load_checkpoint_file(str(tmp_path / "a.pth"))["state"])
    second = draw()
    assert first[:4] == second[:4] and torch.equal(first[4], second[4])
