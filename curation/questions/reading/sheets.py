"""Excel's XLSX: the first sheet that holds a table, its size looked at before it is loaded."""

import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from curation.questions.reading.source import MAX_COLUMNS, Refused, Source
from curation.questions.reading.tables import looks_like_head, names_of
from curation.questions.rows import RowError

Record = dict[str, Any]
MAX_CELLS = 4_000_000  # rows times columns: they are loaded whole
MAX_UNPACKED = 300 * 1024**2
MAX_PACKED = 100 * 1024**2
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,4})(\d{1,8})"')
_PIECE = 256 * 1024


def look_at(file: IO[bytes], name: str) -> None:
    """Unpack every part without keeping it. Raises Refused for a workbook that would fill the memory."""
    try:
        with zipfile.ZipFile(file) as packed:
            left = MAX_UNPACKED
            for part in packed.infolist():
                is_sheet = part.filename.startswith("xl/worksheets/")
                with packed.open(part) as stream:
                    left = _look_at_part(stream, left, name, is_sheet=is_sheet)
    except Refused:
        raise
    except Exception as error:  # zlib's, zipfile's and their like have no common base
        raise Refused(f"{name} is a damaged Excel file ({error}): save it again.") from None


def _look_at_part(stream: IO[bytes], left: int, name: str, *, is_sheet: bool) -> int:
    rows = columns = 0
    end = b""
    while piece := stream.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise Refused(
                f"{name} is an Excel file that unpacks to more than {MAX_UNPACKED // 1024**2} MB: "
                "save the sheet as CSV."
            )
        if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
            raise Refused(f"{name} is an Excel file with entities in its XML, which none needs.")
        if is_sheet:
            for letters, number in _CELL.findall(end + piece):
                column = 0
                for letter in letters:
                    column = column * 26 + letter - 64
                rows, columns = max(rows, int(number)), max(columns, column)
            if columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
                raise Refused(
                    f"{name} has a sheet of {rows:,} rows and {columns:,} columns, too large to load: "
                    "delete the cells far from the table, or save the sheet as CSV."
                )
            end = piece[-200:]
    return left


class Sheet:
    """The rows of the first sheet that holds a table; `others` are the names of the other sheets."""

    def __init__(self, source: Source, name: str, is_known: Callable[[str], bool]) -> None:
        self._source, self._name = source, name
        with source.open() as file:
            file.seek(0, 2)
            if file.tell() > MAX_PACKED:
                raise Refused(
                    f"{name} is an Excel file of more than {MAX_PACKED // 1024**2} MB: save it as CSV."
                )
            file.seek(0)
            look_at(file, name)
        workbook = self._workbook()
        visible = [
            s.name for s in workbook.sheets_metadata if s.visible == SheetVisibleEnum.Visible
        ]
        names = visible or workbook.sheet_names
        self.sheet, best = "", -1
        for one in names[:20]:
            first = self._first_rows(workbook, one)
            if not first:
                continue
            known = sum(1 for cell in first[0] if is_known(str(cell)))
            if known > best:
                self.sheet, best, rows = one, known, first
        if not self.sheet:
            raise Refused(f"{name} is an Excel file without a row in any sheet.")
        self.others = [one for one in names if one != self.sheet]
        head = [_shown(cell) for cell in rows[0]]
        others = [[_shown(cell) for cell in row] for row in rows[1:]]
        self.has_head = looks_like_head(head, others, is_known)
        self.columns = names_of(
            head if self.has_head else [f"column {n + 1}" for n in range(len(head))]
        )

    def _workbook(self) -> CalamineWorkbook:
        try:
            with self._source.open() as file:
                return CalamineWorkbook.from_filelike(file)
        except (CalamineError, OSError, ValueError) as error:
            raise Refused(f"{self._name} is an Excel file that cannot be read: {error}.") from None

    @staticmethod
    def _first_rows(workbook: CalamineWorkbook, name: str) -> list[list[Any]]:
        found = []
        for row in workbook.get_sheet_by_name(name).iter_rows():
            if any(cell not in ("", None) for cell in row):
                found.append(row)
            if len(found) >= 20:
                break
        return found

    def rows(self) -> Iterator[tuple[int, Record | RowError]]:
        sheet = self._workbook().get_sheet_by_name(self.sheet)
        start = (sheet.start or (0, 0))[0]
        first = self.has_head
        for number, row in enumerate(sheet.iter_rows(), start + 1):
            if not any(cell not in ("", None) for cell in row):
                continue
            if first:
                first = False
                continue
            yield number, {c: _value(v) for c, v in zip(self.columns, row, strict=False)}


def _value(cell: Any) -> Any:
    """A cell as JSON would have it: whole numbers without a fraction, dates as they are written."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    if isinstance(cell, datetime):
        return str(cell.date()) if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return None if cell == "" else cell


def _shown(cell: Any) -> str:
    found = _value(cell)
    return "" if found is None else str(found)
