"""What the lines of a text are: prose, code, or a table.

Found are fenced code (``` or ~~~), code that is indented by four blanks after an empty line (and not below an
item of a list, whose lines are indented, too), and Markdown's tables (a row of headings, and below it one of
dashes). Nothing else of Markdown's blocks is read: in sums a dash or a number with a full stop begins no
list.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_COLUMNS = 40
# Most texts have none of these, and this finds that out in a microsecond.
SUSPECT = re.compile(r"```|~~~|\||(?:\A|\n)(?: {4}|\t)")
FENCE = re.compile(r"[ ]{0,3}(`{3,}+|~{3,}+)[ \t]*+([\w+#.-]{0,30}+)[^`\n]*+$")
DASHES = re.compile(
    r"[ ]{0,3}\|?[ \t]*+:?-{1,100}+:?[ \t]*+(?:\|[ \t]*+:?-{1,100}+:?[ \t]*+){0,40}\|?[ \t]*+$"
)
INDENTED = re.compile(r"(?: {4}|\t)")
ITEM = re.compile(r"[ \t]*(?:[-*+•‣–]|\(?\d{1,3}[.):]|[a-zA-Z][.)])[ \t]")
CELL = re.compile(r"(?<!\\)\|")


@dataclass
class Block:
    """`kind` is prose, code or table. Of each of its lines: the text, and where it begins in the whole
    text. A table's lines are its rows, without the one of dashes; `columns` says how each is set ("left",
    "right", "center" or ""). Code is without its fences and its common indentation."""

    kind: str
    lines: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    language: str = ""
    columns: list[str] = field(default_factory=list)
    is_fenced: bool = False

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def parse(text: str) -> list[Block]:
    """The blocks of a text with "\\n" at the ends of its lines, in order; one for most texts."""
    lines = text.split("\n")
    if not SUSPECT.search(text):
        return [Block("prose", lines, _starts(lines))]
    starts, found, n, in_list = _starts(lines), [], 0, False
    while n < len(lines):
        line = lines[n]
        block, end = _block_at(lines, n, in_list)
        if block is None:
            if not found or found[-1].kind != "prose":
                found.append(Block("prose"))
            found[-1].lines.append(line)
            found[-1].starts.append(starts[n])
            if line.strip() and not line[0].isspace():
                in_list = False
            in_list = in_list or ITEM.match(line) is not None
            n += 1
            continue
        if not block.starts:
            first = n + 1 if block.is_fenced else n
            block.starts = starts[first : first + len(block.lines)]
        else:
            block.starts = [starts[one] for one in block.starts]
        found.append(block)
        in_list, n = False, end
    return found


def _starts(lines: Sequence[str]) -> list[int]:
    starts, place = [], 0
    for line in lines:
        starts.append(place)
        place += len(line) + 1
    return starts


def _block_at(lines: Sequence[str], n: int, in_list: bool) -> tuple[Block | None, int]:
    """The code or the table that begins with this line, and the line after it."""
    line = lines[n]
    if fence := FENCE.match(line):
        end = _end_of_fence(lines, n, fence[1])
        block = Block("code", list(lines[n + 1 : end]), language=fence[2], is_fenced=True)
        return block, end + 1
    after_empty = n == 0 or not lines[n - 1].strip()
    if not in_list and after_empty and INDENTED.match(line) and line.strip():
        end = _end_of_indented(lines, n)
        bare = [one[1:] if one.startswith("\t") else one[4:] for one in lines[n:end]]
        return Block("code", bare), end
    if is_head(line, lines[n + 1] if n + 1 < len(lines) else ""):
        end = n + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = [line, *lines[n + 2 : end]]
        return Block("table", rows, [n, *range(n + 2, end)], columns=aligns(lines[n + 1])), end
    return None, n


def _end_of_fence(lines: Sequence[str], begin: int, fence: str) -> int:
    """The line that closes it; the end of the text where none does."""
    for n in range(begin + 1, len(lines)):
        closing = lines[n].strip()
        if len(closing) >= len(fence) and closing == fence[0] * len(closing):
            return n
    return len(lines)


def _end_of_indented(lines: Sequence[str], begin: int) -> int:
    end = begin
    for n in range(begin, len(lines)):
        if INDENTED.match(lines[n]) and lines[n].strip():
            end = n + 1
        elif lines[n].strip():
            break
    return end


def is_head(line: str, below: str) -> bool:
    """Whether a table begins here: `below` has dashes for as many columns."""
    return (
        "|" in line
        and "-" in below
        and ("|" in below or line.strip().startswith("|"))
        and DASHES.match(below) is not None
        and len(cells(line)) == len(cells(below)) <= MAX_COLUMNS
    )


def cells(line: str) -> list[str]:
    row = line.strip().removeprefix("|")
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [one.strip().replace("\\|", "|") for one in CELL.split(row)]


def aligns(dashes: str) -> list[str]:
    """Of each column: "left", "right", "center" or ""."""
    names = {(True, True): "center", (False, True): "right", (True, False): "left"}
    return [names.get((one.startswith(":"), one.endswith(":")), "") for one in cells(dashes)]
