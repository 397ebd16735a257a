"""A server on the loopback address that misbehaves as it is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served and how; ``requests`` are the Range headers that came ('' without one)."""

    content: bytes
    address: str = ""
    ranges: bool = True
    etag: str = '"one"'
    cut_after: list[int | None] = field(default_factory=list)  # bytes a request, then whole
    stall: list[float] = field(default_factory=list)  # seconds in the middle, a request
    status: list[int] = field(default_factory=list)  # errors for the first requests
    corrupt: list[bool] = field(default_factory=list)
    content_type: str = "application/octet-stream"
    say_length: bool = True
    redirect: str = ""
    chunk_pause: float = 0.0
    requests: list[str] = field(default_factory=list)

    def url(self, name: str = "model.pth") -> str:
        return f"http://{self.address}/{name}"


def _next(plan: list, nothing):
    return plan.pop(0) if plan else nothing


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        served = self.server.served
        wanted = self.headers.get("Range", "")
        served.requests.append(wanted)
        self.close_connection = True
        if served.redirect:
            self._answer(302, "Location", served.redirect)
        elif (status := _next(served.status, 200)) != 200:
            self.send_error(status)
        else:
            self._send(served, wanted, self.headers.get("If-Range"))

    def _answer(self, status: int, header: str, value: str) -> None:
        self.send_response(status)
        self.send_header(header, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, served: FileServer, wanted: str, only_if: str | None) -> None:
        flip = _next(served.corrupt, False)
        body = bytes(255 - byte for byte in served.content) if flip else served.content
        start = 0
        if served.ranges and wanted and only_if in (None, served.etag):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                self._answer(416, "Content-Range", f"bytes */{len(body)}")
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        if served.say_length:
            self.send_header("Content-Length", str(len(body) - start))
        if served.etag:
            self.send_header("ETag", served.etag)
        self.send_header("Content-Type", served.content_type)
        self.end_headers()
        self._write(served, body[start:])

    def _write(self, served: FileServer, body: bytes) -> None:
        body = body[: _next(served.cut_after, None)]
        pause = _next(served.stall, 0.0)
        half = len(body) // 2
        step = 64 if served.chunk_pause else max(len(body), 1)
        try:
            self.wfile.write(body[:half])
            self.wfile.flush()
            time.sleep(pause)
            for i in range(half, len(body), step):
                self.wfile.write(body[i : i + step])
                self.wfile.flush()
                time.sleep(served.chunk_pause)
        except OSError:
            pass  # the client has had enough


@contextmanager
def serve(served: FileServer) -> Iterator[FileServer]:
    """``served`` at its address until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.served = served
    server.daemon_threads = True
    served.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
