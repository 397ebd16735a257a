import errno
import hashlib
import os
import pickle
import urllib.error
import urllib.request
from collections import defaultdict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import _load_checkpoint

from mmdet_lite.checkpoint import (
    load_checkpoint_file,
    load_state_dict,
    local_checkpoint,
    state_dict_of,
    weights_url,
)


class Runs:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


def test_older_mmengine_checkpoint_is_read(tmp_path):
    buffer = HistoryBuffer()
    buffer.update(1.5)
    content = {
        "message_hub": {"log_scalars": {"train/loss": buffer}},
        "meta": {"acc": np.float64(2), "ids": np.arange(3), "names": np.array(["a"], object)},
        "extra": defaultdict(dict, a={}),
        "state_dict": {"w": torch.ones(1)},
    }
    torch.save(content, tmp_path / "old.pth")
    read = load_checkpoint_file(str(tmp_path / "old.pth"))
    loss = read["message_hub"]["log_scalars"]["train/loss"]
    assert loss["log_history"].tolist() == [1.5]
    assert read["meta"]["acc"] == 2.0 and read["meta"]["ids"].tolist() == [0, 1, 2]
    assert read["meta"]["names"] == ["a"] and read["extra"] == {"a": {}}


def test_reading_allows_nothing_to_other_callers_of_torch_load(tmp_path):
    torch.save({"a": np.float64(1)}, tmp_path / "a.pth")
    load_checkpoint_file(str(tmp_path / "a.pth"))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "a.pth", weights_only=True)


def test_code_in_a_file_is_refused_by_name_and_not_run(tmp_path):
    torch.save({"x": Runs(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"evil\.pth holds a (io|_io)\.open.*refused"):
        load_checkpoint_file(str(tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()


def test_getattr_of_anything_but_the_history_buffer_is_refused(tmp_path):
    class Reaches:
        def __reduce__(self):
            return (getattr, (np.ndarray, "tofile"))

    torch.save({"x": Reaches()}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="getattr"):
        load_checkpoint_file(str(tmp_path / "a.pth"))


def test_text_file_is_said_to_be_no_checkpoint_in_one_plain_sentence(tmp_path):
    (tmp_path / "README.md").write_text("# Title")
    with pytest.raises(ValueError, match=r"README\.md \(7 bytes\) is no checkpoint: [^\n]*$"):
        load_checkpoint_file(str(tmp_path / "README.md"))


def test_file_of_torch_before_1_6_is_read_also_where_tensors_may_stay_on_disk(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert load_checkpoint_file(str(tmp_path / "a.pth"), mmap=True)["w"].tolist() == [1, 1]


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_truncated_file_is_named_as_incomplete(tmp_path, kept):
    path = tmp_path / "cut.pth"
    torch.save({"w": torch.ones(1000)}, path)
    data = path.read_bytes()
    path.write_bytes(data[: kept if isinstance(kept, int) else int(len(data) * kept)])
    with pytest.raises(ValueError, match=r"cut\.pth.*(incomplete|no checkpoint)"):
        load_checkpoint_file(str(path))


def test_file_without_a_dict_is_refused(tmp_path):
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="holds a list, expected a dict"):
        load_checkpoint_file(str(tmp_path / "list.pth"))


def test_empty_dict_is_said_to_hold_no_weights(tmp_path):
    torch.save({}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"a\.pth holds an empty dict: there are no weights in it"):
        load_checkpoint_file(str(tmp_path / "a.pth"))


def test_torchscript_is_named_and_not_said_to_be_cut_off(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"TorchScript.*save\(model\.state_dict\(\), path\)"):
        load_checkpoint_file(str(tmp_path / "a.pth"))


def test_missing_file_error_names_the_nearest_one(tmp_path):
    (tmp_path / "epoch_12.pth").write_text("")
    with pytest.raises(FileNotFoundError, match=r"looked at /.*nearest names there: epoch_12\.pth"):
        local_checkpoint(str(tmp_path / "epoch_21.pth"))
    with pytest.raises(FileNotFoundError, match=r"folder .*nowhere does not exist"):
        local_checkpoint(str(tmp_path / "nowhere" / "a.pth"))
    with pytest.raises(FileNotFoundError, match=r"no file matches .*best_\*.*has epoch_12\.pth"):
        local_checkpoint(str(tmp_path / "best_*.pth"))
    with pytest.raises(FileNotFoundError, match="is a folder"):
        local_checkpoint(str(tmp_path))


def test_names_of_configs_have_addresses():
    assert weights_url("torchvision://resnet50").endswith("resnet50-0676ba61.pth")
    assert weights_url("torchvision://resnet50.IMAGENET1K_V2").endswith("resnet50-11ad3fa6.pth")
    url = weights_url("open-mmlab://detectron2/resnet50_caffe")
    assert url == "https://download.openmmlab.com/pretrain/third_party/resnet50_msra-5891d200.pth"
    assert weights_url("https://x.org/a.pth") == "https://x.org/a.pth"


@pytest.mark.parametrize(
    ("source", "nearest"),
    [
        ("torchvision://resnet5", "resnet50"),
        ("open-mmlab://detectron2/resnet50_cafe", "detectron2/resnet50_caffe"),
        ("torchvision://resnet50.IMAGENET1K_V3", "IMAGENET1K_V"),
        ("s3://bucket/a.pth", "http"),
    ],
)
def test_unknown_name_is_answered_with_the_nearest(source, nearest):
    with pytest.raises(ValueError, match=nearest):
        weights_url(source)


def test_no_network_error_says_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("MMDET_LITE_HOME", raising=False)

    def fail(*args, **kwargs):
        raise urllib.error.URLError(OSError(errno.ENETUNREACH, "no route"))

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", fail)
    with pytest.raises(FileNotFoundError) as caught:
        load_checkpoint_file("torchvision://resnet18")
    cached = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    for part in (
        str(cached),
        "https://download.pytorch.org",
        "no route",
        "--load-from",
        "checkpoint=",
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    # a file put there by hand is used once it is the published one
    torch.save({"w": torch.ones(1)}, cached)
    with pytest.raises(FileNotFoundError):
        load_checkpoint_file("torchvision://resnet18")
    digest = hashlib.sha256(cached.read_bytes()).hexdigest()
    url = f"https://example.org/resnet-{digest[:8]}.pth"
    cached.rename(cached.with_name(url.rsplit("/", 1)[1]))
    assert load_checkpoint_file(url)["w"].tolist() == [1]


def test_mmengines_own_loading_goes_through_this_reader(tmp_path):
    torch.save({"a": np.float64(1)}, tmp_path / "a.pth")
    assert _load_checkpoint(os.fspath(tmp_path / "a.pth")) == {"a": 1.0}


def test_state_dict_is_found_in_each_layout_and_loses_the_wrapper_prefix():
    weights = {"module.w": torch.ones(1), "modules.v": torch.ones(1)}
    optimizer = {"state": {0: {"step": torch.ones(1)}}, "param_groups": []}
    for checkpoint in (
        {"state_dict": weights},
        {"model": weights, "model_ema": weights},
        weights,
        {"model_state_dict": weights, "optimizer_state_dict": optimizer, "epoch": 3},
        {"net": weights, "optimizer": optimizer, "epoch": 3},
    ):
        assert list(state_dict_of(checkpoint)) == ["w", "modules.v"]


def test_two_networks_in_a_file_are_not_guessed_and_are_named():
    weights = {"w": torch.ones(1)}
    content = {"generator": weights, "critic": weights}
    assert state_dict_of(content) == content
    with pytest.raises(ValueError, match="has no tensors, only generator, critic"):
        load_state_dict(torch.nn.Linear(1, 1), content, "a.pth")


def test_lists_in_lists_without_end_are_refused(tmp_path):
    # each level opens a list, at the end all are closed: 20000 levels in 80 kB
    content = b"\x80\x02}X\x01\x00\x00\x00a" + b"]" * 20000 + b"a" * 19999 + b"s."
    (tmp_path / "deep.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=r"deep\.pkl holds lists in lists"):
        load_checkpoint_file(str(tmp_path / "deep.pkl"))


def test_import_is_said_once_where_a_file_is_read_twice(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr("mmdet_lite.checkpoint.load.print_log", lambda text, **_: said.append(text))
    weights = {"conv1_w": torch.ones(1), "res2_0_branch2a_w": torch.ones(1)}
    torch.save({"blobs": weights}, tmp_path / "a.pth")
    for quiet in (True, False):
        load_checkpoint_file(str(tmp_path / "a.pth"), quiet=quiet)
    assert len(said) == 1
