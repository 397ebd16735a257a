"""Public data sets, from a server on the loopback address that misbehaves."""

import hashlib
import io
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from mmdet_lite.checkpoint import download as transfer
from mmdet_lite.cli import dataset_archives, download_dataset
from mmdet_lite.cli.dataset_archives import PUBLIC_DATASETS, Archive, PublicDataset, unpack

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "checkpoint"))
from file_server import FileServer, serve

FILES = {
    "balloon/train/a.jpg": b"picture" * 500,
    "balloon/train/via_region_data.json": b"{}",
    "balloon/val/b.jpg": b"other" * 300,
}


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.type = (len(data) if kind == tarfile.REGTYPE else 0), kind
            info.linkname = "/etc/passwd"
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.fixture(autouse=True)
def quick_and_direct(monkeypatch, tmp_path):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.5)
    monkeypatch.setattr(transfer, "BACKOFF", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server(monkeypatch):
    """Serves the balloon set's archive in place of its real place."""
    content = zipped(FILES | {"__MACOSX/balloon/._a.jpg": b"x", "balloon/.DS_Store": b"x"})
    with serve(FileServer(content)) as served:
        archive = Archive(
            served.url("balloon_dataset.zip"), len(content), hashlib.md5(content).hexdigest()
        )
        public = PublicDataset("data", (archive,), "go on")
        monkeypatch.setitem(dataset_archives.PUBLIC_DATASETS, "balloon", public)
        yield served


def run(*args: str) -> int:
    return download_dataset.main(["--dataset-name", "balloon", *args])


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_archive_is_fetched_unpacked_into_the_configs_place_and_deleted(server, capsys):
    assert run("--unzip", "--delete") == 0
    assert files_below(Path("data")) == FILES  # and nothing of __MACOSX or .DS_Store
    assert "balloon is in data; next: go on" in capsys.readouterr().err


def test_a_second_run_fetches_and_unpacks_nothing(server):
    run("--unzip", "--delete")
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.jpg")}
    assert run("--unzip", "--delete") == 0
    assert len(server.requests) == 1
    assert before == {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.jpg")}


def test_without_unzip_the_archive_is_kept_and_a_good_one_is_not_fetched_again(server):
    for _ in range(2):
        assert run("--save-dir", "elsewhere") == 0
    assert list(files_below(Path("elsewhere"))) == ["balloon_dataset.zip"]
    assert len(server.requests) == 1


def test_truncated_and_stalled_transfers_go_on(server):
    server.cut_after, server.stall = [1000], [0.0, 2.0]
    assert run("--unzip") == 0
    assert server.requests[:2] == ["", "bytes=1000-"] and len(server.requests) == 3


def test_interrupted_download_goes_on_in_the_next_run(server, monkeypatch, capsys):
    monkeypatch.setattr(transfer, "RETRIES", 0)
    server.cut_after = [1000]
    assert run("--unzip") == 2
    assert "run the command again to go on" in capsys.readouterr().err
    assert run("--unzip") == 0
    assert server.requests == ["", "bytes=1000-"]


def test_corrupt_archive_is_refused_and_nothing_unpacked(server, capsys):
    server.corrupt = [True]
    assert run("--unzip") == 2
    assert "is not the file that is meant: its md5 is" in capsys.readouterr().err
    assert files_below(Path("data")) == {}


def test_server_without_the_file_or_no_server_names_address_place_and_ways_out(server, capsys):
    server.status = [404]
    assert run("--unzip") == 2
    err = capsys.readouterr().err
    for words in ("answers 404", server.url("balloon_dataset.zip"), "put it at data/balloon_data"):
        assert words in err
    assert "make_balloons.py" in err and "Traceback" not in err


def test_archive_that_was_put_there_by_hand_needs_no_network(server):
    Path("data").mkdir()
    Path("data/balloon_dataset.zip").write_bytes(server.content)
    assert run("--unzip") == 0
    assert server.requests == [] and files_below(Path("data/balloon"))


def test_files_of_another_set_are_not_overwritten(server, capsys):
    drawn = Path("data/balloon/train/via_region_data.json")
    drawn.parent.mkdir(parents=True)
    drawn.write_text("something else")
    assert run("--unzip") == 2
    assert "exists already and is another file" in capsys.readouterr().err
    assert drawn.read_text() == "something else" and not Path("data/balloon/val").exists()


def test_several_archives_are_fetched_by_threads_and_unpacked_in_order(tmp_path):
    contents = [tarred({f"VOCdevkit/{i}.jpg": bytes([i]) * 1000}) for i in range(3)]
    servers = [serve(FileServer(content, stall=[0.2])) for content in contents]
    served = [server.__enter__() for server in servers]
    archives = tuple(Archive(one.url(f"{i}.tar")) for i, one in enumerate(served))
    download_dataset.bring(PublicDataset("", archives, ""), tmp_path / "d", True, True, threads=3)
    for server in servers:
        server.__exit__(None, None, None)
    assert files_below(tmp_path / "d") == {
        f"VOCdevkit/{i}.jpg": bytes([i]) * 1000 for i in range(3)
    }


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "..\\evil.txt"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_member_that_leads_outside_is_refused_before_anything_is_written(tmp_path, name, pack):
    (tmp_path / "a.bin").write_bytes(pack({"good.txt": b"1", name: b"2"}))
    with pytest.raises(ValueError, match=r"outside of the folder: nothing of it is unpacked"):
        unpack(tmp_path / "a.bin", tmp_path / "in" / "out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.bin"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    (tmp_path / "a.tar").write_bytes(tarred({"link": b""}, kind))
    with pytest.raises(ValueError, match="'link', a link or device"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="'link', a link or device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("content", [b"no archive", zipped(FILES)[:-200], tarred(FILES)[:900]])
def test_damaged_archive_is_named(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match=r"a.zip is damaged .*delete it and run"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_archive_with_a_flipped_bit_leaves_no_half_file(tmp_path):
    content = bytearray(zipped(FILES))
    content[200] ^= 255  # within the first picture
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.jpg*"))


def test_full_disk_is_told_before_the_download(server, monkeypatch, capsys):
    full = type("usage", (), {"free": 10})
    monkeypatch.setattr(download_dataset.shutil, "disk_usage", lambda path: full)
    assert run("--unzip") == 2
    assert "GB free, the data set needs about" in capsys.readouterr().err
    assert server.requests == []


def test_cityscapes_is_explained_without_a_network(capsys):
    assert download_dataset.main(["--dataset-name", "cityscapes-note"]) == 0
    out = capsys.readouterr().out
    assert "register at https://www.cityscapes-dataset.com" in out and "gtFine" in out


def test_flags_that_would_do_harm_are_refused(capsys):
    for flags, words in ((["--delete"], "without --unzip"), (["--threads", "0"], "at least 1")):
        with pytest.raises(SystemExit) as caught:
            run(*flags)
        assert caught.value.code == 2 and words in capsys.readouterr().err
    with pytest.raises(SystemExit):
        download_dataset.main(["--dataset-name", "imagenet"])


def test_known_sums_are_those_of_torchvision_and_names_are_all_known():
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    known = {one["url"]: one["md5"] for one in DATASET_YEAR_DICT.values()}
    for name in ("voc2007", "voc2012"):
        for archive in PUBLIC_DATASETS[name].archives:
            assert archive.md5 == known[archive.url]
    assert set(download_dataset.NAMES) == {*PUBLIC_DATASETS, "cityscapes-note"}
    for dataset in PUBLIC_DATASETS.values():
        for archive in dataset.archives:
            assert archive.size and archive.url.startswith("http")
