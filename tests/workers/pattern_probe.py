"""Finds every regular expression of the program and tries it on texts made against it.

`python -m tests.workers.pattern_probe` prints one line for each that is not linear, with the text. A
short text shows a suspect: one that takes several times as long for a text four times as long. A
suspect is tried on a longer text, where it may take `SECONDS` of processor time: a linear one needs some
hundredths, a quadratic one far more. SIGPROF ends the process at it; another one goes on with the next.
"""

import ast
import importlib
import mmap
import os
import pkgutil
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from re import _compiler as compiler  # of the standard library; only tests look into them
from re import _constants as codes
from re import _parser as parser

import django

from tests.benchmarks.hostile import UNITS

PACKAGES = ("workers", "curation")
SHORT, LONGER, LONG = 2_000, 8_000, 200_000  # characters
SECONDS = 4.0  # of processor time for a long text; what is linear needs some hundredths
SUSPECT = 0.0008  # seconds for a short text: a linear one needs far less
GROWTH = 8.0  # how much longer the longer text takes at least: 4 where it is linear, else 16
SLOW_TO_LOAD = {"torch", "transformers"}  # a module that needs one of them is read, not imported
REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
AT_START = {"match", "fullmatch"}
METHODS = {"search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split"}
SAMPLES = ["a", "A", "1", " ", "\n", "-", ".", ",", "{", "}", "(", "[", "\\", "$", "=", "*", "_", "<", "/",
           "^", "#", ":", "`", "|", "\u4e2d", "\u0301"]  # fmt: skip


@dataclass(frozen=True)
class Found:
    """An expression, where it is written, and how it is used."""

    where: str
    pattern: re.Pattern
    methods: frozenset[str]


@dataclass(frozen=True)
class Source:
    """A module that uses `re`: its name, its tree and its names; these are few where it is not loaded."""

    name: str
    tree: ast.Module
    names: dict[str, object]
    is_read: bool


def sources() -> Iterator[Source]:
    for package in PACKAGES:
        for found in pkgutil.walk_packages([package], f"{package}."):
            last = found.name.rsplit(".", 1)[-1]
            tree = _tree(found.name)
            if ".migrations" in found.name or "re" not in _imports(tree):
                continue
            if last in ("__main__", "wsgi", "asgi") or _is_slow(found.name):
                yield Source(found.name, tree, {"re": re}, True)
            else:
                yield Source(found.name, tree, vars(importlib.import_module(found.name)), False)


@cache
def _tree(module: str) -> ast.Module | None:
    place = Path(*module.split("."))
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.exists():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None


def _imports(tree: ast.Module) -> set[str]:
    """What a module imports when it is loaded."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return names


@cache
def _is_slow(module: str) -> bool:
    if module.split(".")[0] in SLOW_TO_LOAD:
        return True
    if module.split(".")[0] not in PACKAGES or (tree := _tree(module)) is None:
        return False
    return any(_is_slow(name) for name in _imports(tree))


@cache
def patterns() -> list[Found]:
    """Every compiled pattern at the top of a module and every pattern in a call of `re`."""
    all_sources = list(sources())
    used: dict[tuple[str, str], set[str]] = {}
    for source in all_sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Attribute) or node.attr not in METHODS:
                continue
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            # A name that begins with _ is used in its own module alone.
            used.setdefault((source.name if name.startswith("_") else "", name), set()).add(
                node.attr
            )
    out: dict[tuple[str, int], Found] = {}
    for source in all_sources:
        for name, value in source.names.items():
            methods = frozenset(used.get((source.name if name.startswith("_") else "", name), ()))
            for pattern in _compiled(value):
                found = Found(f"{source.name}.{name}", pattern, methods)
                out.setdefault((pattern.pattern, pattern.flags), found)
        for statement in source.tree.body:
            if isinstance(statement, ast.Assign) and not source.is_read:
                continue  # the value of the name at the top of the module has been looked at
            for node in ast.walk(statement):
                for pattern, method in _called(source, statement, node):
                    methods = frozenset({method} - {"compile"})
                    found = Found(f"{source.name}:{node.lineno}", pattern, methods)
                    out.setdefault((pattern.pattern, pattern.flags), found)
    return sorted(out.values(), key=lambda found: found.where)


def _compiled(value: object) -> Iterable[re.Pattern]:
    if isinstance(value, re.Pattern):
        return [value] if isinstance(value.pattern, str) else []
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)) and len(value) < 500:
        return [p for one in value if not isinstance(one, str) for p in _compiled(one)]
    return []


def _called(source: Source, inside: ast.stmt, node: ast.AST) -> Iterator[tuple[re.Pattern, str]]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
        return
    owner, method = node.func.value, node.func.attr
    if not isinstance(owner, ast.Name) or source.names.get(owner.id) is not re:
        return
    if method not in METHODS | {"compile"}:
        return
    flags = next((k.value for k in node.keywords if k.arg == "flags"), None)
    place = {"compile": 1, "sub": 4, "subn": 4, "split": 3}.get(method, 2)
    if flags is None and len(node.args) > place:
        flags = node.args[place]
    try:
        text = _value(source, node.args[0])
        options = _value(source, flags) if flags is not None else 0
    except NameError as error:
        if "re.escape" in ast.unparse(inside):
            return  # out of words as they are
        raise AssertionError(
            f"{source.name}:{node.lineno}: a pattern out of variables cannot be checked; make it at "
            "the top of the module"
        ) from error
    if isinstance(text, str):
        yield re.compile(text, options), method


def _value(source: Source, node: ast.AST) -> object:
    return eval(compile(ast.Expression(node), "pattern", "eval"), source.names)


def texts_against(pattern: re.Pattern) -> Iterator[Callable[[int], str]]:
    """Runs of every unit, and runs of what a repeat of the pattern takes behind what the pattern wants
    in front of it; each as a function of the length."""
    for unit in UNITS:
        yield lambda length, unit=unit: unit * (length // len(unit)) + "\0"
    for unit in filter(str.isspace, UNITS):
        yield lambda length, unit=unit: unit * (length // len(unit))
    for front, unit in dict.fromkeys(_runs(parser.parse(pattern.pattern, pattern.flags))):
        for end in ("\0", "\n\0"):
            yield lambda length, front=front, unit=unit, end=end: front + unit * length + end
        for part in (front + unit, front + unit + " "):
            yield lambda length, part=part: part * (length // len(part)) + "\0"


def _runs(tree: parser.SubPattern, before: str = "") -> Iterator[tuple[str, str]]:
    """For each repeat without a small limit: a shortest example of what stands in front of it, and
    each sample that it takes."""
    for code, value in tree:
        if code in REPEATS:
            least, most, inner = value
            if most > 1_000:
                takes = compiler.compile(inner, tree.state.flags & re.IGNORECASE)
                yield from ((before, unit) for unit in SAMPLES if takes.match(unit))
                yield before, _example(inner) or "a"
            yield from _runs(inner, before)
            before += _example(inner) * least
        elif code is codes.SUBPATTERN:
            yield from _runs(value[3], before)
            before += _example(value[3])
        elif code is codes.BRANCH:
            for branch in value[1]:
                yield from _runs(branch, before)
            before += _example(value[1][0])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _runs(value[1], before)
        elif code is codes.ATOMIC_GROUP:
            yield from _runs(value, before)
            before += _example(value)
        else:
            before += _one(code, value)


def _example(tree: parser.SubPattern) -> str:
    text = ""
    for code, value in tree:
        if code in REPEATS:
            text += _example(value[2]) * value[0]
        elif code is codes.SUBPATTERN:
            text += _example(value[3])
        elif code is codes.BRANCH:
            text += _example(value[1][0])
        elif code is codes.ATOMIC_GROUP:
            text += _example(value)
        else:
            text += _one(code, value)
    return text


_CATEGORIES = {
    "DIGIT": "1",
    "NOT_DIGIT": "a",
    "SPACE": " ",
    "NOT_SPACE": "a",
    "WORD": "a",
    "NOT_WORD": "-",
}


def _one(code, value) -> str:
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.ANY:
        return "a"
    if code is codes.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if code is not codes.IN:
        return ""
    if value[0][0] is codes.NEGATE:
        refused = re.compile(f"[{''.join(_class(*one) for one in value[1:])}]")
        return next((one for one in SAMPLES if not refused.match(one)), "")
    kind, first = value[0]
    if kind is codes.LITERAL:
        return chr(first)
    if kind is codes.RANGE:
        return chr(first[0])
    return _CATEGORIES[str(first).removeprefix("CATEGORY_")]


def _class(kind, value) -> str:
    if kind is codes.LITERAL:
        return re.escape(chr(value))
    if kind is codes.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    name = str(value).removeprefix("CATEGORY_")
    sign = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.removeprefix("NOT_")]
    return "\\" + (sign.upper() if name.startswith("NOT_") else sign)


def try_one(found: Found) -> None:
    """Uses the pattern as the program does; ends the process where it takes too long."""

    def seconds(text: str) -> float:
        """The least of a few, since other work on the machine makes single ones longer."""
        return min(_seconds(found, text) for _ in range(3))

    for text in texts_against(found.pattern):
        if _seconds(found, text(SHORT)) < SUSPECT:
            continue
        short = seconds(text(SHORT))
        if short >= SUSPECT and seconds(text(LONGER)) > GROWTH * short:
            long = text(LONG)
            print(f"  {long[:40]!r} ... {long[-10:]!r}", flush=True)
            _seconds(found, long)


def _seconds(found: Found, text: str) -> float:
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    for method in found.methods & AT_START:
        getattr(found.pattern, method)(text)
    if not found.methods or found.methods - AT_START:
        for _ in found.pattern.finditer(text):
            pass
    signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - began


def not_linear(tried: Sequence[Found]) -> Iterator[Found]:
    """Those of them that take more than linear time."""
    at = mmap.mmap(-1, 8)  # where the process is, which may be killed
    while (place := int.from_bytes(at[:8])) < len(tried):
        child = os.fork()
        if not child:
            for number in range(place, len(tried)):
                at[:8] = number.to_bytes(8)
                try_one(tried[number])
            at[:8] = len(tried).to_bytes(8)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not status:
            return
        if os.WTERMSIG(status) != signal.SIGPROF:
            raise RuntimeError(f"the process that tries patterns ended with status {status}")
        place = int.from_bytes(at[:8])
        yield tried[place]
        at[:8] = (place + 1).to_bytes(8)


def main() -> None:
    """Tries every pattern; the last line says how many there were."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
    django.setup()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    tried = [found for found in patterns() if re.search(wanted, found.where)]
    for found in not_linear(tried):
        print(f"{found.where} {found.pattern.pattern!r}", flush=True)
    print(f"{len(tried)} patterns", flush=True)


if __name__ == "__main__":
    main()
