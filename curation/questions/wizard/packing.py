"""A folder of files as one zip, so that it goes the way of every other file."""

import tempfile
import zipfile
from pathlib import Path
from typing import IO

from curation.errors import Invalid
from curation.questions.reading.archives import is_wanted

MAX_FILES = 10_000


def packed_folder(path: Path) -> IO[bytes]:
    """The files with rows below `path` as a zip in a temporary file. Links are left out. Raises Invalid
    where there are none."""
    found = sorted(
        one
        for one in path.rglob("*")
        if one.is_file() and not one.is_symlink() and is_wanted(one.name)
    )
    if not found:
        raise Invalid(f"{path} holds no file of rows: no JSON, CSV, TSV, XLSX or Parquet.")
    if len(found) > MAX_FILES:
        raise Invalid(f"{path} holds {len(found):,} files of rows: import a folder of fewer.")
    target = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for one in found:
            packed.write(one, str(one.relative_to(path)))
    target.seek(0)
    return target
