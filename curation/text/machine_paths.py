"""Keeps this machine's folders out of what people read: errors, notes and logs of workers."""

import re
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings

# Colours and the like that programs write for terminals (ECMA-48), and titles of windows.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def without_paths(text: str) -> str:
    """The text with what stands before a file of this installation shortened to "…", and without the
    codes that colour a terminal.

    Known are the folders of the installation, its models, its Python, the person it runs as and its
    temporary files. Other paths stay: they are part of somebody's text, not of this machine.
    """
    text = _TERMINAL.sub("", text)
    if "/" not in text:
        return text
    return _pattern(_folders()).sub(r"\g<option>…", text)


def _folders() -> tuple[str, ...]:
    named = [settings.HOME, *settings.MODEL_ROOTS, settings.BASE_DIR, sys.prefix, sys.base_prefix]
    named += [tempfile.gettempdir(), Path("~").expanduser()]
    both = {str(path) for one in named for path in (Path(one), Path(one).resolve())}
    return tuple(sorted(path.rstrip("/") for path in both if len(path) > 1))


@lru_cache(maxsize=8)
def _pattern(folders: tuple[str, ...]) -> re.Pattern[str]:
    known = "|".join(re.escape(one) for one in sorted(folders, key=len, reverse=True))
    # A path begins where no name goes on: after a blank, "=", ":" or a quotation mark; right behind an
    # option (-I/usr); and behind a line break that was written out. "https://host/usr" is none of these.
    return re.compile(
        r"(?:(?P<option>(?<![\w./-])--?[A-Za-z]{1,20})|(?<![\w./-])|(?<=\\[nrt]))"
        rf"(?:[A-Za-z][\w+.-]{{0,20}}://+)?(?:{known})(?![\w-])"
    )
