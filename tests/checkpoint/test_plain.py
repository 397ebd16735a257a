from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from mmdet_lite.checkpoint import plain, to_history_buffers


def test_everything_a_run_holds_becomes_plain_with_its_values():
    content = {
        "number": np.float32(0.5),
        "count": np.int64(3),
        "flag": np.bool_(True),
        "array": np.arange(3, dtype=np.uint8),
        "names": np.array(["a", "b"]),
        "cfg": ConfigDict(a={"b": (1, 2)}),
        "counter": Counter([2, 2, 5]),
        "groups": defaultdict(list, x=[1]),
        "queue": deque([1, 2], 3),
        "path": Path("a/b.pth"),
        "none": None,
        "tensor": torch.ones(2, requires_grad=True),
    }
    out = plain(content)
    assert out["number"] == 0.5 and type(out["number"]) is float
    assert out["count"] == 3 and type(out["count"]) is int
    assert out["flag"] is True
    assert out["array"].tolist() == [0, 1, 2] and out["array"].dtype is torch.uint8
    assert out["names"] == ["a", "b"]
    assert out["cfg"] == {"a": {"b": (1, 2)}} and type(out["cfg"]["a"]) is dict
    assert out["counter"] == {2: 2, 5: 1} and type(out["counter"]) is dict
    assert out["groups"] == {"x": [1]} and type(out["groups"]) is dict
    assert out["queue"] == [1, 2] and out["path"] == "a/b.pth" and out["none"] is None
    assert not out["tensor"].requires_grad


def test_argument_is_unchanged():
    content = {"a": [np.float64(1)], "b": ConfigDict(c=1)}
    plain(content)
    assert type(content["a"][0]) is np.float64 and type(content["b"]) is ConfigDict


def test_module_versions_of_a_state_dict_are_kept():
    weights = torch.nn.BatchNorm2d(2).state_dict()
    out = plain(weights)
    assert isinstance(out, OrderedDict) and out._metadata[""] == {"version": 2}


def test_empty_containers_stay_empty():
    assert plain({}) == {} and plain([]) == [] and plain(()) == ()


def test_unknown_object_is_named_with_its_key():
    with pytest.raises(TypeError, match=r"checkpoint\.meta\[1\]\.x is a .*Linear"):
        plain({"meta": [1, {"x": torch.nn.Linear(1, 1)}]})


def test_history_buffer_survives_the_way_through_plain_content():
    buffer = HistoryBuffer([1.0, 2.5], [1, 1], max_length=9)
    back = to_history_buffers(plain({"train/loss": buffer}))["train/loss"]
    assert back.data[0].tolist() == [1.0, 2.5] and back.max_length == 9
    back.update(3.0)
    assert back.current() == 3.0


def test_to_history_buffers_leaves_other_values_alone():
    assert to_history_buffers({"lr": 3, "info": {"a": 1}}) == {"lr": 3, "info": {"a": 1}}
