import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from mmdet_lite.checkpoint import load_checkpoint_file
from mmdet_lite.checkpoint.unpickle import is_plain_pickle, read_pickle


class Runs:
    """Would write a file if it were unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


CONTENT = {
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "half": np.float16(0.5),
    "texts": np.array(["a", "b"]),
    "plain": [1, 2.5, "x", b"y", None, True, {1, 2}, (3,), OrderedDict(a=1)],
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_numbers_and_containers_are_read_in_every_protocol(protocol, tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(CONTENT, protocol))
    assert is_plain_pickle(path)
    read = read_pickle(path)
    np.testing.assert_array_equal(read["array"], CONTENT["array"])
    np.testing.assert_array_equal(read["columns"], CONTENT["columns"])
    assert read["half"] == 0.5 and list(read["texts"]) == ["a", "b"]
    assert read["plain"] == CONTENT["plain"]


def test_both_module_names_of_numpy_are_read(tmp_path):
    text = pickle.dumps({"a": np.ones(2)}, 0)
    for old, new in ((b"numpy._core", b"numpy.core"), (b"numpy.core", b"numpy._core")):
        (tmp_path / "a.pkl").write_bytes(text.replace(old, new))
        assert read_pickle(tmp_path / "a.pkl")["a"].tolist() == [1, 1]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_is_refused_by_name_with_the_reason_and_not_run(protocol, tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"blobs": Runs(tmp_path / "ran")}, protocol))
    with pytest.raises(ValueError, match=r"evil\.pkl .*asks for _?io\.open and is refused.*called"):
        load_checkpoint_file(str(path))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "numpy.core.multiarray.fromfile", "numpy.load"]
)
def test_names_beside_the_admitted_are_refused(name, tmp_path):
    module, _, function = name.rpartition(".")
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02c" + f"{module}\n{function}\n".encode() + b".")
    with pytest.raises(ValueError, match=rf"asks for {name} and is refused"):
        read_pickle(tmp_path / "a.pkl")


def test_truncated_pickle_says_so_with_its_size(tmp_path):
    whole = pickle.dumps({"blobs": {"conv1_w": np.ones(1000)}}, 2)
    (tmp_path / "cut.pkl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        ValueError, match=r"cut\.pkl \(\d+ bytes\) cannot be read as weights: it is incomplet"
    ):
        load_checkpoint_file(str(tmp_path / "cut.pkl"))


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x05\x96" + (2**46).to_bytes(8, "little") + b".",  # a bytearray of 64 TiB
        b"\x80\x05\x96" + (2**63 + 5).to_bytes(8, "little") + b".",
        b"\x80\x05\x8e" + (2**46).to_bytes(8, "little") + b".",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00nope\x86R.",
    ],
    ids=["too long", "longer than any", "too long bytes", "unknown encoding"],
)
def test_damaged_lengths_and_encodings_are_said(content, tmp_path):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.pkl .*incomplete or no such pickle"):
        read_pickle(tmp_path / "a.pkl")


def test_torchs_own_layouts_are_no_plain_pickles(tmp_path):
    for name, new in (("old.pth", False), ("new.pth", True)):
        torch.save({"a": torch.ones(1)}, tmp_path / name, _use_new_zipfile_serialization=new)
        assert not is_plain_pickle(tmp_path / name)
        assert load_checkpoint_file(str(tmp_path / name))["a"].tolist() == [1]
