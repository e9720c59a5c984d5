"""A migrated SQLite database, kept between test runs: migrating takes longer than most test files do.

The copy is keyed by everything that makes the schema, so a changed migration or trigger makes a new one.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

REPOSITORY = Path(__file__).resolve().parent.parent


def _makes_schema(path: Path) -> bool:
    """Tables, triggers and search indexes; Django's own migrations go by its version."""
    return (
        path.parent.name in ("migrations", "db", "text")
        or path.name == "apps.py"
        or "TRIGGER" in path.read_text()
    )


def _key() -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted((REPOSITORY / "curation").glob("**/*.py")):
        if _makes_schema(path):
            digest.update(str(path.relative_to(REPOSITORY)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _kept() -> Path:
    folder = Path(tempfile.gettempdir()) / f"chainwright-migrated-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():  # somebody else's, who could put anything into it
        folder = Path(tempfile.mkdtemp(prefix="chainwright-migrated-"))
    return folder / f"{_key()}.sqlite3"


@contextmanager
def migrated(target: Path) -> Iterator[bool]:
    """Put the kept database at `target` and yield True; where there is none yet, yield False, and keep
    what the caller makes there. Processes that begin at once wait for the first."""
    kept = _kept()
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            shutil.copyfile(kept, target)
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield True
            return
        yield False
        part = kept.with_suffix(".part")
        shutil.copyfile(target, part)
        part.replace(kept)
