"""Files that the stages make: datasets, adapters, uploads, logs. Any fsspec address holds them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

import fsspec
from django.conf import settings
from django.utils import timezone

PART = ".part"  # ends the name of a file that is not whole yet


def _filesystem() -> tuple[fsspec.AbstractFileSystem, str]:
    fs, root = fsspec.core.url_to_fs(settings.ARTIFACTS_URL)
    return fs, root.rstrip("/")


def _place(path: str) -> str:
    """The full address of `path`; refuses any path that would leave the artifacts' folder."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"{path!r} is no place for an artifact.")
    return f"{_filesystem()[1]}/{path}"


def open_artifact(path: str) -> IO[bytes]:
    fs, _ = _filesystem()
    if "file" in fs.protocol:
        # fsspec's own opener closes the file as soon as only an iterator over its lines is left.
        return Path(_place(path)).open("rb")
    return fs.open(_place(path), "rb")


def exists(path: str) -> bool:
    return _filesystem()[0].exists(_place(path))


def size(path: str) -> int:
    return _filesystem()[0].size(_place(path))


def files_in(path: str) -> list[str]:
    """Names of the plain files right in the folder `path`, sorted; links and folders are left out."""
    fs, _ = _filesystem()
    if not fs.isdir(_place(path)):
        return []
    found = fs.ls(_place(path), detail=True)
    return sorted(
        one["name"].rstrip("/").rsplit("/", 1)[-1]
        for one in found
        if one["type"] == "file" and not one.get("islink")
    )


def walk() -> Iterator[str]:
    """The paths of all artifacts that are whole, sorted within a folder; links are left out."""
    fs, root = _filesystem()
    if not fs.isdir(root):
        return
    for folder, _, files in fs.walk(root, detail=True):
        for name, facts in sorted(files.items()):
            if not name.endswith(PART) and not facts.get("islink"):
                yield f"{folder}/{name}".removeprefix(f"{root}/")


@contextmanager
def writing(path: str) -> Iterator[IO[bytes]]:
    """Write a file so that it is there whole or not at all."""
    fs, _ = _filesystem()
    target = _place(path)
    fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
    part = f"{target}.{uuid.uuid4().hex[:8]}{PART}"
    try:
        with fs.open(part, "wb") as file:
            yield file
        fs.mv(part, target)
    except BaseException:
        with suppress(
            FileNotFoundError
        ):  # what went wrong is said, not that nothing was written yet
            fs.rm(part)
        raise


def untouched(folder: str, age: timedelta) -> Iterator[str]:
    """Paths of the files below `folder` ("" is everything) that nobody has written to for `age`."""
    fs, root = _filesystem()
    top = _place(folder) if folder else root
    if not fs.isdir(top):
        return
    limit = timezone.now() - age
    for place in fs.find(top):
        with suppress(FileNotFoundError):  # removed meanwhile
            if fs.modified(place) < limit:
                yield place.removeprefix(f"{root}/")


def remove(path: str) -> None:
    fs, _ = _filesystem()
    if fs.exists(_place(path)):
        fs.rm(_place(path), recursive=True)


def local_folder(path: str) -> Path:
    """A folder on this machine for a child process to write to: the artifact's own place when the
    artifacts are a local folder, else a working folder that `upload_folder` copies from."""
    fs, root = _filesystem()
    base = Path(root) if "file" in fs.protocol else settings.HOME / "work"
    _place(path)
    folder = base / path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def upload_folder(path: str) -> None:
    """Copy what a child process wrote in `local_folder(path)` to the artifacts' address."""
    fs, _ = _filesystem()
    if "file" not in fs.protocol:
        fs.put(str(settings.HOME / "work" / path) + "/", _place(path) + "/", recursive=True)


def fetch_folder(path: str) -> Path:
    """The folder `path` on this machine, fetched from the artifacts' address where that is remote."""
    fs, _ = _filesystem()
    folder = local_folder(path)
    if "file" not in fs.protocol and not any(folder.iterdir()):
        fs.get(_place(path) + "/", str(folder) + "/", recursive=True)
    return folder
