"""Keeps this machine's folders out of what people read: errors, notes and logs of workers."""

import re
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings


def without_paths(text: str) -> str:
    """The text with what stands before a file of this installation shortened to "…".

    Known are the folders of the installation, its models, its Python, the person it runs as and its
    temporary files. Other paths stay: they are part of somebody's text, not of this machine.
    """
    if "/" not in text:
        return text
    return _pattern(_folders()).sub("…", text)


def _folders() -> tuple[str, ...]:
    named = [settings.HOME, *settings.MODEL_ROOTS, settings.BASE_DIR, sys.prefix, sys.base_prefix]
    named += [tempfile.gettempdir(), Path("~").expanduser()]
    both = {str(path) for one in named for path in (Path(one), Path(one).resolve())}
    return tuple(sorted(path.rstrip("/") for path in both if len(path) > 1))


@lru_cache(maxsize=8)
def _pattern(folders: tuple[str, ...]) -> re.Pattern[str]:
    known = "|".join(re.escape(one) for one in sorted(folders, key=len, reverse=True))
    return re.compile(rf"(?<![\w./:-])(?:file://)?(?:{known})(?![\w-])")
