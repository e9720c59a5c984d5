"""JSON lines, a JSON array, and one object that holds the rows."""

import codecs
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

import ijson

from curation.questions.reading.source import MAX_LINE, Refused, Source
from curation.questions.rows import RowError

Record = dict[str, Any]
MAX_DEPTH = 40
KEPT = 2_000  # bytes of a line that cannot be read
# ijson reads pieces of this size, and one value may take so many bytes before it is refused.
PIECE = 64 * 1024
MAX_VALUE = 8 * 1024**2
# More brackets than this that a value opens and does not close are nesting: ijson names the path to each.
MAX_OPEN = 1_000
MAX_LOOKED_AT = 200_000  # events, to find where in an object the rows are


def decode(raw: bytes | str) -> Record:
    """One line as an object. Raises RowError for what is none, says a key twice, or nests too deeply."""
    try:
        value = _DECODER.decode(raw if isinstance(raw, str) else raw.decode())
    except UnicodeDecodeError as error:
        raise RowError(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise RowError(f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise RowError("nested too deeply") from None
    except RowError:
        raise
    except ValueError as error:
        raise RowError(f"a number that is too long: {error}") from None
    if not isinstance(value, dict):
        raise RowError(f"a JSON object is needed, not a {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise RowError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands twice")
    return found


def _refuse(constant: str) -> None:
    raise RowError(f"{constant} is not a JSON value")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def json_lines(file: IO[bytes], encoding: str) -> Iterator[tuple[int, Record | RowError]]:
    """(line number from 1, object or what is wrong), with bounded memory whatever a line's length."""
    number = 0
    plain = encoding in ("utf-8", "utf-8-sig", "ascii")
    lines = file if plain else codecs.getreader(encoding)(file, errors="replace")
    ends = b"\n" if plain else "\n"
    while raw := lines.readline(MAX_LINE + 1):  # type: ignore[call-arg]
        number += 1
        if len(raw) > MAX_LINE:
            while raw and not raw.endswith(ends):  # type: ignore[arg-type]
                raw = lines.readline(MAX_LINE)
            yield number, RowError(f"the line is longer than {MAX_LINE // 1024**2} MB")
            continue
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf") if plain else raw.removeprefix("\ufeff")  # type: ignore
        if not raw.strip():
            continue
        if plain and b"\r" in raw.rstrip(b"\r\n"):
            yield from _returns(raw, number)
            continue
        try:
            yield number, decode(raw)
        except RowError as error:
            shown = raw[:KEPT]
            error.raw = shown if isinstance(shown, str) else shown.decode(errors="replace")
            yield number, error


def _returns(raw: bytes, number: int) -> Iterator[tuple[int, Record | RowError]]:
    """A line in which returns alone end the rows, as old Macs wrote them; in JSON none stands bare."""
    for place, one in enumerate(raw.split(b"\r"), number):
        if one.strip():
            try:
                yield place, decode(one)
            except RowError as error:
                yield place, error


class _Pieces:
    """Gives ijson its bytes. `fed` counts them since the last value, and `opened` the brackets left open:
    too many are one endless value, or endless nesting."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self.fed, self.opened = file, 0, 0
        decoder = codecs.getincrementaldecoder(encoding)
        self._decoder = None if encoding == "utf-8" else decoder(errors="replace")

    def read(self, size: int = PIECE) -> bytes:
        if size == 0:  # asked once, to see whether it gives bytes
            return b""
        self.fed += PIECE
        if self.fed > MAX_VALUE:
            raise Refused(
                f"One value of this JSON is longer than {MAX_VALUE // 1024**2} MB: "
                "write one object a line (JSON Lines) and leave that value out."
            )
        found = self._file.read(min(size, PIECE) if size > 0 else PIECE)
        self.opened += sum(map(found.count, (b"[", b"{"))) - sum(map(found.count, (b"]", b"}")))
        if self.opened > MAX_OPEN:
            raise Refused("This JSON is nested too deeply: write one object a line.")
        if self._decoder is None or not found:
            return found
        return self._decoder.decode(found).encode("utf-8", "replace") or self.read(size)


def whole_json(
    source: Source, encoding: str, prefix: str
) -> Iterator[tuple[int, Record | RowError]]:
    """The rows of an array (`prefix` "item"), of an array in an object ("data.item"), or the values of an
    object (`prefix` "data.*"): (number from 1, object). Raises Refused where the JSON breaks off."""
    number = 0
    with source.open() as file:
        pieces = _Pieces(file, encoding)
        try:
            if prefix.endswith("*"):
                inner = prefix.removesuffix("*").removesuffix(".")
                found = ijson.kvitems(
                    pieces, inner, buf_size=PIECE, use_float=True, multiple_values=True
                )
                values = ({"id": k, **v} if isinstance(v, dict) else v for k, v in found)
            else:
                values = ijson.items(
                    pieces, prefix, buf_size=PIECE, use_float=True, multiple_values=not prefix
                )
            for value in values:
                number += 1
                pieces.fed = pieces.opened = 0
                if isinstance(value, dict):
                    yield number, value
                else:
                    kind = type(value).__name__
                    yield number, RowError(f"a JSON object is needed, not a {kind}")
        except ijson.JSONError as error:
            raise _broken(number, error) from None
        except RecursionError:
            raise Refused("This JSON is nested too deeply: write one object a line.") from None


def _broken(number: int, error: Exception) -> Refused:
    where = f"after row {number:,}" if number else "at its beginning"
    why = " ".join(str(error).split())[:120]
    return Refused(
        f"The file is JSON, and {where} it cannot be read: {why}. Mend it, or send JSON Lines."
    )


def find_rows(source: Source, encoding: str, is_row: Callable[[str, str], bool]) -> str:
    """Where in one JSON value its rows are: "item" for an array, "data.item" for an array that an object
    holds under `data`, "*" for an object whose values are the rows, "" where the object is the row: it has
    a text of its own that makes it one (`is_row`).

    Of several arrays of objects the longest one that the first events show wins.
    """
    sizes: dict[str, int] = {}
    keys: dict[str, int] = {}
    depth = looked = 0
    with source.open() as file:
        pieces = _Pieces(file, encoding)
        try:
            for prefix, event, value in ijson.parse(
                pieces, buf_size=PIECE, use_float=True, multiple_values=True
            ):
                pieces.fed = pieces.opened = 0
                looked += 1
                if event == "string" and "." not in prefix and value and is_row(prefix, value):
                    return ""
                if event in ("start_map", "start_array"):
                    depth += 1
                    if depth > MAX_DEPTH:
                        raise Refused("This JSON is nested too deeply: write one object a line.")
                    if event == "start_map":
                        parts = prefix.split(".")
                        if parts[-1] == "item" and parts.count("item") == 1:
                            sizes[prefix] = sizes.get(prefix, 0) + 1
                        elif 0 < depth - 1 <= 2 and "item" not in parts:
                            above = prefix.rpartition(".")[0]
                            keys[above] = keys.get(above, 0) + 1
                elif event in ("end_map", "end_array"):
                    depth -= 1
                if looked >= MAX_LOOKED_AT:
                    break
        except ijson.IncompleteJSONError as error:
            if not sizes and not keys:
                raise _broken(0, error) from None
        except ijson.JSONError as error:
            if not sizes and not keys:
                raise _broken(0, error) from None
    if "item" in sizes:
        return "item"
    best = max(sizes, key=sizes.get, default="")  # type: ignore[arg-type]
    top = max(keys, key=keys.get, default="")  # type: ignore[arg-type]
    if keys.get(top, 0) > max(sizes.get(best, 0), 2):
        return f"{top}.*" if top else "*"
    return best
