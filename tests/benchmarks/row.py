"""One line of a benchmark's table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    shown: str
    wanted: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        mark = {True: "yes", False: "NO", None: ""}[self.met]
        return f"{self.what:58} {self.shown:>34} {self.wanted:>22} {mark:>4}"
