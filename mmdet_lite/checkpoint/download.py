"""Fetching files over the network: resumed where cut, verified, by one process at a time."""

import errno
import fcntl
import hashlib
import http.client
import os
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import torch

from mmdet_lite.checkpoint.progress import Progress, megabytes

HOME_VARIABLE = "MMDET_LITE_HOME"
TIMEOUT = 20.0  # seconds without a byte, or below SLOWEST, before a connection counts as stalled
SLOWEST = 256.0  # bytes a second
RETRIES = 4  # in a row without one new byte
BACKOFF = 1.0  # seconds before the first retry, doubled for each further one
CHUNK = 1 << 18
RETRIED_STATUS = (408, 416, 425, 429)
NO_LOCKS_HERE = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
NO_NETWORK = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED)


@dataclass(frozen=True)
class Fingerprint:
    """What is known of a file before it is there; None is not known and not compared.

    ``sha256`` and ``md5`` are hex digits, the sha256 may be its beginning (eight digits stand in
    the names of torch's and MMDetection's files). ``size`` counts bytes; ``megabytes`` is a size
    that was published rounded to three places (2**20 bytes).
    """

    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    megabytes: float | None = None

    def problem(self, path: Path) -> str | None:
        """What is wrong with the file at ``path``, or None."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"it has {size} bytes, expected {self.size}"
        if self.megabytes is not None and abs(size / 2**20 - self.megabytes) > 0.001:
            return f"it has {size / 2**20:.3f} MB, expected {self.megabytes:.3f} MB"
        for kind, expected in (("sha256", self.sha256), ("md5", self.md5)):
            if expected is not None:
                with path.open("rb") as file:
                    found = _hexdigest(file, kind)
                if not found.startswith(expected.lower()):
                    return f"its {kind} is {found[: max(8, len(expected))]}, expected {expected}"
        return None


class _ServerError(OSError):
    """An answer that cannot be used; ``again`` says whether a retry may help."""

    def __init__(self, reason: str, again: bool) -> None:
        super().__init__(reason)
        self.again = again


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but from https to https only: elsewhere nobody checks certificates."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise _ServerError(f"redirected from https to {newurl}, which is not https", False)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def cache_folder() -> Path:
    """Where downloads are kept: ``$MMDET_LITE_HOME/checkpoints``, else torch's own cache.

    torch's is ``$TORCH_HOME/hub/checkpoints``, by default ``~/.cache/torch/hub/checkpoints``, so
    what torchvision has fetched is not fetched again.
    """
    home = os.environ.get(HOME_VARIABLE)
    root = Path(home).expanduser() if home else Path(torch.hub.get_dir())
    return root / "checkpoints"


def cached_path(url: str) -> Path:
    """Where the file of ``url`` is kept.

    A name that carries its hash (``resnet18-f37072fd.pth``) stands directly in the folder, as in
    torch's cache. Others (``model_final.pkl``, which many models are called) get a folder of their
    own, named after the address.
    """
    name = unquote(urlparse(url).path).rsplit("/", 1)[-1]
    name = "download" if name in ("", ".", "..") else name
    if hash_in_name(name):
        return cache_folder() / name
    return cache_folder() / hashlib.sha256(url.encode()).hexdigest()[:12] / name


def hash_in_name(name: str) -> str | None:
    """The first eight digits of a file's sha256 where its name ends in them; dates are none.

    >>> hash_in_name("resnet18-f37072fd.pth"), hash_in_name("epoch-20211124.pth")
    ('f37072fd', None)
    """
    found = re.search(r"-(?!20[0-4]\d[01]\d[0-3]\d\.)([0-9a-f]{8})\.[^.-]+$", name)
    return found.group(1) if found else None


def fetch(url: str, path: Path, fingerprint: Fingerprint | None = None) -> Path:
    """The file of ``url`` at ``path``, downloaded unless a good copy is there.

    What arrives is written to ``path`` + ``.part``, from which a later call goes on where the
    server allows it, is compared with ``fingerprint`` and then renamed in one step. Processes that
    want the same file wait for the one that fetches it. A connection without data is given up after
    ``TIMEOUT`` seconds, and tried again ``RETRIES`` times with growing pauses.

    Raises:
        FileNotFoundError: if it cannot be had (no network, no such page, stalled), in one line.
        ValueError: if what the server sends has another hash or size.
    """
    known = fingerprint or Fingerprint()
    if path.is_file() and known.problem(path) is None:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path) as locked:
            if path.is_file():
                problem = known.problem(path)
                if problem is None:  # fetched by the process that had the lock
                    return path
                _say(f"{path} is damaged ({problem}): fetching it again")
            part = path.with_name(path.name + (".part" if locked else f".{os.getpid()}.part"))
            _download(url, part, known)
            os.replace(part, path)
            _tag_file(part).unlink(missing_ok=True)
    except OSError as error:
        raise FileNotFoundError(f"cannot download {url} to {path}: {_reason(error)}") from error
    return path


def _download(url: str, part: Path, known: Fingerprint) -> None:
    """Fill ``part`` with the whole, verified content."""
    for last_chance in (False, True):
        resumed = part.is_file()
        _receive_with_retries(url, part)
        problem = known.problem(part)
        if problem is None:
            return
        _drop(part)
        if last_chance or not resumed:
            raise ValueError(
                f"what {url} sends is not the file that is meant: {problem}; try again later, or "
                "get the file in another way and give its path"
            )
        _say(f"the resumed download is damaged ({problem}): starting again")


def _receive_with_retries(url: str, part: Path) -> None:
    failures, received = 0, False
    while True:
        before = _size(part)
        try:
            _receive(url, part)
            return
        except (OSError, http.client.HTTPException) as error:
            more = _size(part) > before
            received |= more
            failures = 1 if more else failures + 1
            if failures > RETRIES or not _may_help(error, received):
                if isinstance(error, OSError):
                    raise
                raise OSError(_reason(error)) from error
            pause = BACKOFF * 2 ** (failures - 1)
            _say(f"download interrupted ({_reason(error)}); trying again in {pause:.0f} s")
            time.sleep(pause)


def _receive(url: str, part: Path) -> None:
    """One request; appends to ``part`` or fills it anew, as the server answers."""
    start = _size(part)
    headers = {"User-Agent": "mmdet_lite", "Accept-Encoding": "identity"}
    tag = _tag_file(part)
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag.is_file():
            headers["If-Range"] = tag.read_text(encoding="utf-8")
    opener = urllib.request.build_opener(_SecureRedirects)
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and _range_total(error.headers) == start:
                return  # all of it is here already
        if error.code == 416:
            _drop(part)
        again = error.code >= 500 or error.code in RETRIED_STATUS
        raise _ServerError(f"the server answers {error.code} {error.reason}", again) from error
    with response:
        resumed = response.status == 206
        if resumed and _range_start(response.headers) != start:
            _drop(part)
            raise _ServerError("the server sends another part of the file than asked for", True)
        _refuse_web_page(response.headers)
        start = start if resumed else 0
        if not resumed:
            _keep_tag(response.headers, tag)
        length = response.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        _copy(response, part, start, total)


def _copy(response: Any, part: Path, start: int, total: int | None) -> None:
    """Write what arrives; a stalled or cut stream raises."""
    progress = Progress(part.name.removesuffix(".part"), start, total)
    window_end, window_size = time.monotonic() + TIMEOUT, 0
    with part.open("ab" if start else "wb") as file, progress:
        while data := response.read1(CHUNK):
            file.write(data)
            progress.add(len(data))
            window_size += len(data)
            if time.monotonic() > window_end:
                if window_size < SLOWEST * TIMEOUT:
                    raise TimeoutError(f"less than {SLOWEST:.0f} bytes a second")
                window_end, window_size = time.monotonic() + TIMEOUT, 0
    if total is not None and _size(part) != total:
        raise _ServerError(
            f"the connection ended after {megabytes(_size(part))} of {megabytes(total)} MB", True
        )


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Holds the lock of ``path`` against other processes; False where the disk knows no locks."""
    lock_path = path.with_name(path.name + ".lock")
    handle = _locked_handle(lock_path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            lock_path.unlink(missing_ok=True)
            os.close(handle)


def _locked_handle(lock_path: Path) -> int | None:
    said = False
    while True:
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not said:
                _say(f"waiting for another process that fetches {lock_path.stem}")
                said = True
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            os.close(handle)
            if error.errno in NO_LOCKS_HERE:
                return None
            raise
        if _is_file_at(handle, lock_path):
            return handle
        os.close(handle)  # who held the lock has removed its file: this one guards nothing


def _is_file_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _may_help(error: Exception, received: bool) -> bool:
    """Whether a further try has a chance; once data has come, the network is there."""
    if isinstance(error, _ServerError):
        return error.again
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError) or _is_disk_error(error):
        return False
    no_network = isinstance(cause, socket.gaierror) or (
        isinstance(cause, OSError) and cause.errno in NO_NETWORK
    )
    return received or not no_network


def _is_disk_error(error: Exception) -> bool:
    codes = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
    return isinstance(error, OSError) and error.errno in codes


def _reason(error: BaseException) -> str:
    """The error as a part of one line."""
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid ({cause.verify_message})"
    if isinstance(cause, socket.gaierror):
        return f"no network, or no such server ({cause.strerror})"
    if isinstance(cause, TimeoutError):
        return f"the connection stalled for {TIMEOUT:g} s ({cause})"
    text = str(cause).strip().splitlines()
    return text[0] if text else type(cause).__name__


def _refuse_web_page(headers: Message) -> None:
    if headers.get_content_type() == "text/html":
        raise _ServerError("the server sends a web page (a log-in?), not a file", False)


def _keep_tag(headers: Message, tag: Path) -> None:
    """Remember the version of the file that ``.part`` is cut from."""
    strong = headers.get("ETag") or ""
    value = strong if strong.startswith('"') else headers.get("Last-Modified")
    if value:
        tag.write_text(value, encoding="utf-8")
    else:
        tag.unlink(missing_ok=True)


def _drop(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _range_start(headers: Message) -> int | None:
    found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _range_total(headers: Message) -> int | None:
    found = re.match(r"bytes \*/(\d+)$", headers.get("Content-Range", ""))
    return int(found.group(1)) if found else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _hexdigest(file: Any, kind: str) -> str:
    digest = hashlib.new(kind)
    while data := file.read(1 << 20):
        digest.update(data)
    return digest.hexdigest()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
