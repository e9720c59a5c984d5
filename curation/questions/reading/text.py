"""The encoding of a text, found by its byte order mark, its bytes, or a library that guesses."""

import codecs
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from charset_normalizer import from_bytes

from curation.questions.reading.source import MAX_LINE, Refused

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSED_FROM = 64 * 1024


def encoding_of(head: bytes, *, is_json: bool) -> str:
    """The codec that reads a file which begins with `head`.

    JSON is UTF-8 unless most of its lines are not: one broken line is that line's fault. A table that is
    not UTF-8 is guessed from its bytes.
    """
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head):
        return wide
    lines = head.split(b"\n")
    if len(lines) > 1:
        lines = lines[:-1]  # the last may end in the middle of a character
    spoken = [one for one in lines if not one.isascii()]
    broken = [one for one in spoken if not _is_utf8(one)]
    if not broken or (is_json and (len(broken) * 2 <= len(spoken) or len(spoken) < 3)):
        return "utf-8"
    sample = b"\n".join(broken)[:GUESSED_FROM]
    best = from_bytes(sample).best()
    if best is None:
        return "cp1252"
    # Windows-1252 is by far the commonest of those that read the same bytes as the same text.
    return "cp1252" if _reads_alike(sample, "cp1252", best.encoding) else best.encoding


def _reads_alike(sample: bytes, one: str, other: str) -> bool:
    try:
        return sample.decode(one) == sample.decode(other)
    except (UnicodeDecodeError, LookupError):
        return False


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(line) and error.reason == "unexpected end of data"
    return True


def _wide(head: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: ASCII in it has zero bytes at every second or fourth place."""
    sample = head[:4096]
    if sample.count(0) * 4 < len(sample) or len(sample) < 8:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if even > 0 and odd > 0 and abs(even - odd) < len(sample) // 3 and sample[2:4] == b"\0\0":
        return "utf-32-le"
    return "utf-16-be" if even > odd else "utf-16-le"


def lines_of(file: IO[bytes], encoding: str) -> Iterator[str]:
    """The lines with their ends, as csv wants them: \\r alone ends one, too. Raises Refused for a line
    beyond all use, and for bytes that are not in the encoding."""
    reader = io.TextIOWrapper(file, encoding=encoding, newline="")
    number = 0
    try:
        while line := reader.readline(MAX_LINE):
            number += 1
            if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
                raise Refused(
                    f"Line {number:,} is longer than {MAX_LINE // 1024**2} MB: this is no table of questions."
                )
            yield line
    except UnicodeDecodeError as error:
        raise Refused(
            f"After line {number:,} the bytes are not {encoding.upper()} any more "
            f"({error.reason}): save the file as UTF-8."
        ) from None
    finally:
        with suppress(ValueError):  # closed below it
            reader.detach()


def encoding_in_words(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(
        encoding, encoding.replace("_", "-").upper()
    )
