"""Where bytes come from, how many may come, and the one sentence that says why a file is refused."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

MAX_LINE = 4 * 1024 * 1024  # bytes of one row
MAX_COLUMNS = 2_000
MAX_UNPACKED = 8 * 1024**3  # bytes that a packed file may become
SNIFFED = 256 * 1024  # bytes that are looked at to find out what a file is


class Refused(ValueError):
    """The file as a whole cannot be read: what it is and what to do, in one sentence."""


@dataclass(frozen=True)
class Source:
    """A file that can be opened again and again, each time from its beginning."""

    name: str
    opener: Callable[[], IO[bytes]]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        file = self.opener()
        try:
            yield file
        finally:
            file.close()

    def head(self, size: int = SNIFFED) -> bytes:
        with self.open() as file:
            return read_up_to(file, size)


def read_up_to(file: IO[bytes], size: int) -> bytes:
    """`size` bytes, or all there are: a stream may give fewer at a time."""
    parts, left = [], size
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class KeptOpen(io.RawIOBase):
    """A stream of somebody else's, which closing does not close. Each keeps its own place in it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._place = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 1:
            offset, whence = offset + self._place, 0
        self._place = self._file.seek(offset, whence)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._file.seek(self._place)
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)


def source_of(file: IO[bytes], name: str = "file") -> Source:
    """A seekable stream as a source; the stream stays open."""
    return Source(name, lambda: io.BufferedReader(KeptOpen(file)))


class Bounded(io.RawIOBase):
    """What is unpacked from a stream, up to `most` bytes. Raises Refused beyond, and for broken data."""

    def __init__(self, file: IO[bytes], most: int, what: str) -> None:
        self._file, self._left, self._most, self._what = file, most, most, what

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            found = self._file.read(min(len(buffer), 1024 * 1024))
        except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise Refused(f"{self._what} is damaged: {error}. Pack it again.") from None
        except Exception as error:  # zlib.error, BadZipFile and lzma's, which have no common base
            raise Refused(f"{self._what} is damaged: {error}. Pack it again.") from None
        self._left -= len(found)
        if self._left < 0:
            gigabytes = self._most / 1024**3
            raise Refused(
                f"{self._what} unpacks to more than {gigabytes:g} GB: split it into several files."
            )
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


def shown_name(name: str) -> str:
    """A file's own name in a sentence, without its folders and with nothing that could hide in it."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c if c.isprintable() else "?" for c in last)[:100] or "the file"
