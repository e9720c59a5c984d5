"""What the documents and docstrings name is there: paths, modules, make targets, commands, variables."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.conftest import REPOSITORY

DOCS = [
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    REPOSITORY / "deploy" / "README.md",
]
CODE = [
    path
    for top, endings in (
        ("curation", ("py",)),
        ("workers", ("py",)),
        ("static", ("js", "css")),
        ("templates", ("html", "jinja")),
    )
    for ending in endings
    for path in sorted((REPOSITORY / top).rglob(f"*.{ending}"))
    if "migrations" not in path.parts
]
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
ENDINGS = (".py", ".js", ".css", ".md", ".html", ".jinja", ".toml", ".txt")
MODULE = re.compile(r"(?:curation|workers|tests|tools)(?:\.\w+)+")
TOPS = {path.name for path in REPOSITORY.iterdir()}
APPS = {path.name for path in (REPOSITORY / "curation").iterdir()}
# Made at the first start; the addresses of pages and models that look like paths.
NO_FILES = {"var/", "var/models", "projects/new", "tasks.py"}
# What a historic page says was there, with what it is now beside it.
ONCE = {"curation.queue", "curation.work", "workers.quick"}
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
SETTINGS = REPOSITORY / "curation" / "settings.py"


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def named_in(path: Path) -> Iterator[str]:
    """What stands between ` in the file."""
    yield from QUOTED.findall(path.read_text(encoding="utf-8"))


def is_there(path: str) -> bool:
    """A path is written from the root of the repository, or from `curation/`."""
    roots = (REPOSITORY, REPOSITORY / "curation")
    return any(next(root.glob(path.rstrip("/")), None) is not None for root in roots)


def is_module(dotted: str) -> bool:
    """A module, or something that its module defines or names."""
    place, rest = REPOSITORY, dotted.split(".")
    while rest and (place / rest[0]).is_dir():
        place = place / rest.pop(0)
    if rest and (place / f"{rest[0]}.py").is_file():
        place = place / f"{rest.pop(0)}.py"
    if not rest:
        return True
    text = place if place.is_file() else place / "__init__.py"
    return text.is_file() and re.search(rf"\b{rest[0]}\b", text.read_text()) is not None


@pytest.mark.parametrize("path", DOCS, ids=name)
def test_every_path_and_module_in_a_document_is_there(path: Path) -> None:
    wrong = []
    for said in named_in(path):
        first = said.split("/")[0]
        if MODULE.fullmatch(said):
            if said not in ONCE and not is_module(said):
                wrong.append(said)
        elif (
            PATH.fullmatch(said)
            and said not in NO_FILES
            and (said.endswith(ENDINGS) or ("/" in said and first in TOPS | APPS))
            and "APP" not in said
            and not is_there(said)
        ):
            wrong.append(said)
    assert not wrong


def test_every_link_in_a_document_leads_to_a_file() -> None:
    wrong = [
        (name(path), target)
        for path in DOCS
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert not wrong


def test_every_path_and_module_in_a_comment_is_there() -> None:
    wrong = []
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        found = re.findall(
            r"(?<![\w/.])(?:curation|workers|tests|docs)/[\w/.-]+\.(?:py|md)\b", text
        )
        wrong += [(name(path), one) for one in found if not is_there(one)]
        found = [one for one in named_in(path) if MODULE.fullmatch(one)]
        wrong += [(name(path), one) for one in found if not is_module(one)]
    assert not wrong


def commands_in(path: Path) -> str:
    """The text between ` and in blocks of code: elsewhere "make" is a verb."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"(?s)```.*?```", text)
    return "\n".join([*blocks, *QUOTED.findall(re.sub(r"(?s)```.*?```", "", text))])


def test_every_make_target_and_command_in_a_document_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text()))
    commands, wrong = set(get_commands()), []
    for path in DOCS:
        text = commands_in(path)
        makes = re.findall(r"(?m)(?:^|[\s;&])make ([a-z][a-z-]*[a-z])", "\n" + text)
        made = targets | {"bench"}  # "make bench-…" stands for all of them
        wrong += [(name(path), f"make {one}") for one in makes if one not in made]
        manages = re.findall(r"manage\.py ([a-z]\w*)", text)
        wrong += [(name(path), one) for one in manages if one not in commands]
    assert not wrong


def table_of_settings() -> set[str]:
    rows = re.findall(
        r"(?m)^\| ([A-Z][A-Z_, ]+) \|", ast.get_docstring(ast.parse(SETTINGS.read_text()))
    )
    return {one.strip() for row in rows for one in row.split(",")}


def read_by_settings() -> set[str]:
    """Environment variables that the settings and their readers read."""
    found = set()
    for path in (SETTINGS, REPOSITORY / "curation" / "env.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            reads = ast.unparse(call.func)
            first = call.args[0]
            if isinstance(first, ast.Constant) and (
                reads == "os.environ.get" or reads.startswith("read_")
            ):
                found.add(first.value)
    return found | {"DATABASE_URL"}  # read by dj_database_url


def test_the_table_of_settings_is_what_is_read() -> None:
    keys = {
        one for one in table_of_settings() if "SOMETHING" in one
    }  # read by the workers, by name
    assert len(keys) == 4
    assert table_of_settings() - keys == read_by_settings()


def test_the_operators_see_the_same_table() -> None:
    doc = ast.get_docstring(ast.parse(SETTINGS.read_text()))
    table = [line for line in doc.splitlines() if line.startswith("|")]
    assert "\n".join(table) in (REPOSITORY / "docs" / "operators.md").read_text()


def test_every_variable_in_a_document_is_read_somewhere() -> None:
    known = table_of_settings()
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for top in ("curation", "workers", "tests/benchmarks", "Makefile")
        for path in ([REPOSITORY / top] if top == "Makefile" else (REPOSITORY / top).rglob("*.py"))
    )
    of_others = {"HF_HOME", "CUDA_VISIBLE_DEVICES", "VLLM_CPU_KVCACHE_SPACE"}
    in_examples = {"CHAINWRIGHT_URL", "CHAINWRIGHT_TOKEN", "CHAINWRIGHT_PROJECT", "NAME_HOSTS"}
    wrong = []
    for path in DOCS:
        for said in {*VARIABLE.findall(commands_in(path))} - known - of_others - in_examples:
            if "_API_KEY" in said or said.startswith("CHAINWRIGHT_KEY_"):
                continue
            if not re.search(rf"\b{said}\b", code):
                wrong.append((name(path), said))
    assert not wrong
