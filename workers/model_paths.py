"""Where a model of a project lies on this worker.

A project's admin types a name. It is one of the shipped demo models (`demo:strong`), a folder below
one of the roots that the operator named (`MODEL_ROOTS`), or, where the caller fetches from it, a name
on the model hub. Nothing else of this machine's disk can be named: what lies outside the roots, also
by `..` or a symlink, is refused in the words for what is not there.
"""

# os.path says no where pathlib raises: at a name that is too long, a loop of links.
# ruff: noqa: PTH112, PTH114, PTH117, PTH118

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

DEMO = Path(__file__).parent / "demo" / "models"
HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


class NoSuchModel(ValueError):
    """There is no model of that name that projects may use here."""


@dataclass(frozen=True)
class Place:
    """A model that a project may use.

    name   how it is called wherever people read it: the folder below its root, a hub's name, `demo:…`
    where  what loads it: the absolute folder on this machine, or the hub's name
    """

    name: str
    where: str

    @property
    def is_folder(self) -> bool:
        return os.path.isabs(self.where)


def find_model(name: str, roots: Sequence[str | Path], *, hub: bool = False) -> Place:
    """The model of that name.

    roots  folders of the operator; a relative name is looked for below each, in order
    hub    names as on the model hub (ORG/NAME) are taken as well, where no root has such a folder
    Raises NoSuchModel, in the same words for a folder that is absent and one that is not allowed.
    """
    if name.startswith("demo:"):
        return _demo(name)
    if name and not re.search(r"[\x00-\x1f\x7f]", name):
        for folder in _candidates(name, roots):
            if (found := _allowed(folder, roots)) is not None:
                return Place(found[1], found[0])
        # A library would take such a name for a folder beside this process, if there were one.
        if hub and HUB_NAME.fullmatch(name) and not os.path.lexists(name):
            return Place(name, name)
    also = ", or a model on the Hugging Face hub as ORG/NAME" if hub else ""
    raise NoSuchModel(
        f"There is no model {name!r} here. Name a folder below the models folder of the worker "
        f"(MODEL_ROOTS){also}."
    )


def _demo(name: str) -> Place:
    short = name.removeprefix("demo:")
    known = sorted(p.name for p in DEMO.iterdir() if p.is_dir()) if DEMO.is_dir() else []
    if short not in known:
        raise NoSuchModel(f"There is no demo model {short!r}; shipped are: {', '.join(known)}.")
    return Place(name, str(DEMO / short))


def _candidates(name: str, roots: Sequence[str | Path]) -> Iterator[Path]:
    if ".." in PurePath(name).parts:
        return
    if os.path.isabs(name):
        yield Path(name)
    else:
        yield from (Path(root, name) for root in roots)


def _allowed(folder: Path, roots: Sequence[str | Path]) -> tuple[str, str] | None:
    """The folder's real path and its name below its root, if all of it lies below a root."""
    real = os.path.realpath(folder)
    tops = [os.path.realpath(root) for root in roots]
    below = [top for top in tops if _is_below(real, top)]
    if not below or not os.path.isdir(real):
        return None
    for place, folders, files in os.walk(real):
        for entry in (os.path.join(place, name) for name in (*folders, *files)):
            if os.path.islink(entry):
                target = os.path.realpath(entry)
                if not any(_is_below(target, top) for top in tops):
                    return None
    return real, os.path.relpath(real, below[0])


def _is_below(path: str, top: str) -> bool:
    return path != top and os.path.commonpath([path, top]) == top
