"""How far a download is, told on standard error."""

import sys
import time
from types import TracebackType
from typing import TextIO

BAR = 20
TERMINAL_PAUSE, FILE_PAUSE = 0.2, 10.0  # seconds between two texts


class Progress:
    """Bar, megabytes, speed and time left: redrawn in a terminal, a line now and then in a file.

    Args:
        name: what is fetched.
        start: bytes that were there before.
        total: bytes of the whole, None where the server does not say.
        stream: where it is written, standard error by default.
    """

    def __init__(self, name: str, start: int, total: int | None, stream: TextIO | None = None):
        self.name = name
        self.start, self.done, self.total = start, start, total
        self.stream = sys.stderr if stream is None else stream
        self.terminal = self.stream.isatty()
        self.begin = time.monotonic()
        self.next_text = self.begin

    def __enter__(self) -> "Progress":
        return self

    def add(self, size: int) -> None:
        """``size`` more bytes are there."""
        self.done += size
        if time.monotonic() >= self.next_text:
            self._write()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write()
        if self.terminal:
            print(file=self.stream, flush=True)

    def text(self) -> str:
        """The line as it is now."""
        seconds = max(time.monotonic() - self.begin, 1e-6)
        speed = (self.done - self.start) / seconds
        rate = f"{megabytes(int(speed))} MB/s"
        if not self.total:
            return f"{self.name}  {megabytes(self.done)} MB  {rate}"
        filled = BAR * min(self.done, self.total) // self.total
        bar = "#" * filled + "." * (BAR - filled)
        share = f"{100 * self.done // self.total:3d}%  {megabytes(self.done)}"
        left = _clock((self.total - self.done) / speed) if speed else "?"
        return f"{self.name}  [{bar}] {share}/{megabytes(self.total)} MB  {rate}  {left} left"

    def _write(self) -> None:
        pause = TERMINAL_PAUSE if self.terminal else FILE_PAUSE
        self.next_text = time.monotonic() + pause
        end, begin = ("", "\r\x1b[K") if self.terminal else ("\n", "")
        print(f"{begin}{self.text()}", end=end, file=self.stream, flush=True)


def megabytes(size: int) -> str:
    """Bytes as a number of megabytes (2**20 bytes).

    >>> megabytes(178_090_079)
    '169.8'
    """
    return f"{size / 2**20:.1f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
