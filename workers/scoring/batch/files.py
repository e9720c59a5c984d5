"""Scores a whole file: groups to one or several processes, results back in the file's order."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from workers.json_lines import json_line
from workers.scoring.batch.lines import Index, Place, read_item
from workers.scoring.contract import Item
from workers.scoring.isolation.process import TextError, TextProcess
from workers.scoring.scored import Scored
from workers.scoring.scorer import EMBED_AHEAD, Settings, score_groups, score_large_group

if TYPE_CHECKING:
    from workers.scoring.judge import JudgeServer

LARGE_GROUP = 1_000  # members; a larger group is read twice instead of being held
TASK_LINES = 256  # lines that a process gets at a time


@dataclass(frozen=True, slots=True)
class Options:
    """embedding_model: None leaves similarity out; processes: how many; details: add how it came;
    judge: the server of a judge, None for none; student: whose tokenizer measures the length;
    budget: the most tokens of a rationale for it."""

    embedding_model: str | None = None
    processes: int = 1
    details: bool = False
    judge: "JudgeServer | None" = None
    student: str | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one line: the scored line, or the reason why there is none."""

    number: int
    line: bytes = b""
    problem: str = ""


def score_file(
    source: Path, out: BinaryIO, folder: Path, report: Callable[[int, str], None], options: Options
) -> int:
    """Scores the lines of `source` into `out`; returns how many.

    folder: an existing empty folder for what is kept on disk; report(line number, reason) is called
    for each bad line.
    """
    index = Index(source, folder, report)
    try:
        results = _results(source, index, options)
        write = _in_order if index.together else _spooled
        return write(results, out, index, folder, report)
    finally:
        index.close()


def _in_order(results, out: BinaryIO, index: Index, folder: Path, report) -> int:
    count = 0
    for result in results:
        if result.problem:
            report(result.number, result.problem)
            continue
        out.write(result.line)
        count += 1
    return count


def _spooled(results, out: BinaryIO, index: Index, folder: Path, report) -> int:
    """Groups are scattered over the file: lines wait on disk until all are scored."""
    count = place = 0
    waiting: list[tuple[int, int, int]] = []
    spool = folder / "scored.jsonl"
    with spool.open("wb") as kept:
        for result in results:
            if result.problem:
                report(result.number, result.problem)
                continue
            kept.write(result.line)
            waiting.append((place, len(result.line), result.number))
            place += len(result.line)
            count += 1
            if len(waiting) >= 2_000:
                index.keep(waiting)
                waiting = []
    index.keep(waiting)
    with spool.open("rb") as kept:
        for place, size in index.kept():
            kept.seek(place)
            out.write(kept.read(size))
    return count


def _tasks(index: Index, lines: int) -> Iterator[tuple[list[list[Place]], bytes | None]]:
    """Whole groups, about `lines` lines together; a large group alone, by its key only."""
    task: list[list[Place]] = []
    held = 0
    for key, size in index.groups():
        if size > LARGE_GROUP:
            if task:
                yield task, None
                task, held = [], 0
            yield [], key
            continue
        task.append(list(index.places(key)))
        held += size
        if held >= lines:
            yield task, None
            task, held = [], 0
    if task:
        yield task, None


def _results(source: Path, index: Index, options: Options) -> Iterator[Result]:
    lines = EMBED_AHEAD if options.embedding_model else TASK_LINES
    tasks = _tasks(index, lines)
    if options.processes == 1:
        for groups, key in tasks:
            if key is None:
                yield from score_places(str(source), groups, options)
            else:
                yield from _large(source, index, key, options)
        return
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        running: deque = deque()
        for groups, key in tasks:
            if key is not None:
                running.append(_large(source, index, key, options))
            else:
                running.append(pool.submit(score_places, str(source), groups, options))
            while len(running) > 2 * options.processes:
                yield from _collect(running.popleft())
        while running:
            yield from _collect(running.popleft())


def _collect(done) -> Iterator[Result]:
    yield from done.result() if hasattr(done, "result") else done


@lru_cache(maxsize=2)
def _embedder(model: str | None):
    """One embedding model a process, loaded when it is first used."""
    if model is None:
        return None
    from workers.scoring.metrics.similarity import SentenceEmbedder

    return SentenceEmbedder(model)


@lru_cache(maxsize=2)
def _judge(server: "JudgeServer"):
    from workers.scoring.judge import Judge

    return Judge(server)


def _settings(options: Options, on_error) -> Settings:
    limit = judge = None
    if options.student:
        limit = _limit(options.student, options.budget)
    if options.judge:
        judge = _judge(options.judge)
    return Settings(
        embedder=_embedder(options.embedding_model),
        limit=limit,
        on_error=on_error,
        judge=judge,
        process=_texts(),
    )


@lru_cache(maxsize=1)
def _texts() -> TextProcess:
    """What reads the texts of this process, so that none of them holds up the file."""
    return TextProcess()


@lru_cache(maxsize=2)
def _limit(student: str, budget: int | None):
    from workers.scoring.student import student_limit

    return student_limit(student, budget)


def score_places(source: str, groups: list[list[Place]], options: Options) -> list[Result]:
    """Scores whole groups of lines of a file; their texts are read in a child of this process."""
    rows: dict[int, tuple[Place, dict]] = {}
    failed: list[Result] = []
    items: list[list[Item]] = []
    with Path(source).open("rb") as file:
        for places in groups:
            members = []
            for place in places:
                item, row = read_item(file, place)
                rows[id(item)] = (place, row)
                members.append(item)
            items.append(members)

    def on_error(item: Item, error: Exception) -> None:
        failed.append(_failure(rows[id(item)][0], error))

    settings = _settings(options, on_error)
    out = []
    for scored in score_groups(items, settings):
        place, row = rows[id(scored.item)]
        out.append(Result(place.number, _encode(row, scored, options.details)))
    return sorted(out + failed, key=lambda r: r.number) if failed else out


def _failure(place: Place, error: Exception) -> Result:
    reason = error.args[0] if isinstance(error, TextError) else f"{type(error).__name__}: {error}"
    return Result(place.number, problem=f"the scorer failed on this line: {reason}")


def _large(source: Path, index: Index, key: bytes, options: Options) -> Iterator[Result]:
    """Scores a large group line by line; only lines being scored are in memory."""
    places: dict[int, tuple] = {}
    failed: list[Result] = []

    def members(last: bool) -> Iterator[Item]:
        with source.open("rb") as file:
            for place in index.places(key):
                item, row = read_item(file, place)
                if last:
                    places[id(item)] = (item, place, row)
                yield item

    def on_error(item: Item, error: Exception) -> None:
        failed.append(_failure(places.pop(id(item))[1], error))

    settings = _settings(options, on_error)
    for scored in score_large_group(members, settings):
        yield from failed
        failed.clear()
        _, place, row = places.pop(id(scored.item))
        yield Result(place.number, _encode(row, scored, options.details))
    yield from failed


def _encode(row: dict, scored: Scored, details: bool) -> bytes:
    score = scored.to_dict()
    if details:
        score["details"] = scored.details()
    return (
        json_line({**row, "score": score}, separators=(",", ":")).encode(
            "utf-8", "backslashreplace"
        )
        + b"\n"
    )
