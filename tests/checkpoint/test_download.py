import hashlib
import io
import multiprocessing
import os
import socket
import threading
import time
from pathlib import Path

import pytest
from file_server import FileServer, serve

from mmdet_lite.checkpoint import cache_folder, cached_path, download, fetch
from mmdet_lite.checkpoint.download import Fingerprint, hash_in_name
from mmdet_lite.checkpoint.progress import Progress

CONTENT = bytes(range(256)) * 400
SHA = hashlib.sha256(CONTENT).hexdigest()
KNOWN = Fingerprint(sha256=SHA[:8])


@pytest.fixture(autouse=True)
def quick_and_direct(monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.5)
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with serve(FileServer(CONTENT)) as served:
        yield served


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_fetched_file_is_complete_and_leaves_nothing_else(server, tmp_path):
    path = fetch(server.url(), tmp_path / "deep" / "m.pth", KNOWN)
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["m.pth"]


def test_a_good_copy_is_not_fetched_again(server, tmp_path):
    (tmp_path / "m.pth").write_bytes(CONTENT)
    fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert server.requests == []


def test_a_damaged_copy_is_replaced(server, tmp_path, capfd):
    (tmp_path / "m.pth").write_bytes(CONTENT[:100])
    fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert (tmp_path / "m.pth").read_bytes() == CONTENT
    assert "is damaged (its sha256 is" in capfd.readouterr().err


def test_a_damaged_copy_stays_where_nothing_better_comes(server, tmp_path):
    (tmp_path / "m.pth").write_bytes(b"old")
    server.status = [404]
    with pytest.raises(FileNotFoundError, match="404"):
        fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert names(tmp_path) == ["m.pth"]


def test_truncated_transfer_goes_on_where_it_was_cut(server, tmp_path, capfd):
    server.cut_after = [1000, 5000]
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert server.requests == ["", "bytes=1000-", "bytes=6000-"]
    assert "the connection ended after 0.0 of 0.1 MB" in capfd.readouterr().err
    assert names(tmp_path) == ["m.pth"]


def test_a_later_call_goes_on_from_the_part(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 0)
    server.cut_after = [3000]
    with pytest.raises(FileNotFoundError, match="connection ended"):
        fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert (tmp_path / "m.pth.part").stat().st_size == 3000
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert server.requests[-1] == "bytes=3000-"


def test_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges = False
    server.cut_after = [3000]
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert server.requests == ["", "bytes=3000-"]


def test_part_of_another_version_is_not_continued(server, tmp_path):
    (tmp_path / "m.pth.part").write_bytes(b"x" * 50)
    (tmp_path / "m.pth.part.tag").write_text('"older"')
    assert fetch(server.url(), tmp_path / "m.pth").read_bytes() == CONTENT


def test_part_without_a_known_version_is_caught_by_the_hash(server, tmp_path, capfd):
    (tmp_path / "m.pth.part").write_bytes(b"x" * 50)
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert server.requests == ["bytes=50-", ""]
    assert "the resumed download is damaged" in capfd.readouterr().err


@pytest.mark.parametrize("extra", [b"", b"too much"])
def test_part_as_long_as_the_file_is_used_or_thrown_away(server, tmp_path, extra):
    (tmp_path / "m.pth.part").write_bytes(CONTENT + extra)
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert len(server.requests) == (2 if extra else 1)


def test_corrupt_content_is_refused_and_not_kept(server, tmp_path):
    server.corrupt = [True]
    with pytest.raises(ValueError, match=rf"is not the file that is meant.*expected {SHA[:8]}"):
        fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        (Fingerprint(md5="0" * 32), "its md5 is"),
        (Fingerprint(size=5), f"it has {len(CONTENT)} bytes, expected 5"),
        (Fingerprint(megabytes=3.5), "expected 3.500 MB"),
        (Fingerprint(sha256="0" * 64), "its sha256 is"),
    ],
)
def test_everything_known_of_a_file_is_compared(server, tmp_path, known, problem):
    with pytest.raises(ValueError, match=problem):
        fetch(server.url(), tmp_path / "m.pth", known)


def test_right_size_and_hashes_are_accepted(server, tmp_path):
    known = Fingerprint(
        SHA.upper(), hashlib.md5(CONTENT).hexdigest(), len(CONTENT), round(len(CONTENT) / 2**20, 3)
    )
    assert fetch(server.url(), tmp_path / "m.pth", known).is_file()


def test_stalled_connection_is_given_up_and_tried_again(server, tmp_path, capfd):
    server.stall = [2.0]
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT
    assert "download interrupted (the connection stalled for 0.5 s" in capfd.readouterr().err
    assert server.requests == ["", f"bytes={len(CONTENT) // 2}-"]


def test_trickle_counts_as_stalled(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SLOWEST", 1e6)
    monkeypatch.setattr(download, "RETRIES", 0)
    server.chunk_pause = 0.02
    with pytest.raises(FileNotFoundError, match="stalled"):
        fetch(server.url(), tmp_path / "m.pth", KNOWN)


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "RETRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/m.pth"
        with pytest.raises(FileNotFoundError, match="stalled"):
            fetch(url, tmp_path / "m.pth", KNOWN)


def test_page_that_is_not_there_is_asked_for_once(server, tmp_path):
    server.status = [404, 404]
    with pytest.raises(FileNotFoundError, match="the server answers 404") as caught:
        fetch(server.url(), tmp_path / "m.pth", KNOWN)
    assert len(server.requests) == 1
    assert server.url() in str(caught.value) and str(tmp_path / "m.pth") in str(caught.value)
    assert names(tmp_path) == []


def test_busy_server_is_asked_again_and_at_last_given_up(server, tmp_path):
    server.status = [503, 429]
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).is_file()
    server.status = [500] * 20
    with pytest.raises(FileNotFoundError, match="answers 500"):
        fetch(server.url(), tmp_path / "other.pth", KNOWN)
    assert len(server.requests) == 3 + 1 + download.RETRIES


def test_web_page_in_place_of_the_file_is_refused(server, tmp_path):
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(FileNotFoundError, match="web page"):
        fetch(server.url(), tmp_path / "m.pth")
    assert names(tmp_path) == []


def test_without_network_it_fails_at_once_and_in_one_line(tmp_path, monkeypatch):
    def no_name(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    monkeypatch.setattr(time, "sleep", lambda s: pytest.fail("waited without a network"))
    with pytest.raises(FileNotFoundError) as caught:
        fetch("https://example.org/m.pth", tmp_path / "m.pth", KNOWN)
    text = str(caught.value)
    assert "\n" not in text and "no network" in text
    assert "https://example.org/m.pth" in text and str(tmp_path / "m.pth") in text


def test_redirect_from_https_to_http_is_refused():
    import urllib.request

    request = urllib.request.Request("https://example.org/m.pth")
    with pytest.raises(OSError, match="which is not https"):
        download._SecureRedirects().redirect_request(
            request, None, 302, "", {}, "http://example.org/m.pth"
        )


def test_redirect_is_followed(server, tmp_path):
    with serve(FileServer(b"", redirect=server.url())) as first:
        assert fetch(first.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT


def test_file_without_a_length_is_fetched(server, tmp_path):
    server.say_length = False
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT


def test_threads_at_once_fetch_it_once(server, tmp_path):
    server.stall = [0.2]
    results: list[object] = []

    def one() -> None:
        try:
            results.append(fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes())
        except OSError as error:
            results.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENT] * 4
    assert len(server.requests) == 1
    assert names(tmp_path) == ["m.pth"]


def test_processes_at_once_fetch_it_once(server, tmp_path):
    server.stall = [0.3]
    fork = multiprocessing.get_context("fork")  # others would spend seconds on imports
    arguments = (server.url(), tmp_path / "m.pth", KNOWN)
    running = [fork.Process(target=fetch, args=arguments) for _ in range(3)]
    for process in running:
        process.start()
    for process in running:
        process.join(30)
    assert [process.exitcode for process in running] == [0, 0, 0]
    assert (tmp_path / "m.pth").read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert names(tmp_path) == ["m.pth"]


def test_disk_without_locks_is_served_too(server, tmp_path, monkeypatch):
    def no_locks(*args):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(download.fcntl, "flock", no_locks)
    assert fetch(server.url(), tmp_path / "m.pth", KNOWN).read_bytes() == CONTENT


def test_cache_folder_follows_its_variables(tmp_path, monkeypatch):
    monkeypatch.delenv("MMDET_LITE_HOME", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert cache_folder() == tmp_path / "torch" / "hub" / "checkpoints"
    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own" / "checkpoints"


def test_files_of_one_name_have_places_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MMDET_LITE_HOME", str(tmp_path))
    one, two = (cached_path(f"https://x.org/{n}/model_final.pkl") for n in (1, 2))
    assert one != two and one.name == two.name == "model_final.pkl"
    assert cached_path("https://x.org/a/r-0123abcd.pth") == tmp_path / "checkpoints/r-0123abcd.pth"
    for evil in ("https://x.org/..", "https://x.org/%2e%2e", "https://x.org"):
        assert cached_path(evil).name == "download"


def test_only_a_hash_counts_as_one():
    assert hash_in_name("mAP-0.38__x_20200504_231812-0ebd1859.pth") == "0ebd1859"
    assert hash_in_name("model-20200504.pth") is None
    assert hash_in_name("model-0123abc.pth") is None


def test_progress_shows_bar_size_speed_and_time_left():
    stream = io.StringIO()
    with Progress("m.pth", 0, 2 * 2**20, stream) as progress:
        progress.begin -= 1
        progress.add(2**20)
        text = progress.text()
    assert text.startswith("m.pth  [##########..........]  50%  1.0/2.0 MB  1.0 MB/s  0:01 left")
    assert len(stream.getvalue().splitlines()) == 2
    assert "2.0 MB" in Progress("m.pth", 2**21, None, stream).text()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_cannot_be_written_is_named(server, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileNotFoundError, match="Permission denied"):
        fetch(server.url(), tmp_path / "m.pth", KNOWN)
