"""What runs away at one text ends with that text: the others of its batch are scored."""

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.scoring.killed_child import KILLS
from workers.evaluation import run
from workers.evaluation.answers import Answer
from workers.evaluation.types import Question
from workers.scoring import Item, score_items
from workers.scoring.batch import files
from workers.scoring.isolation import pipe
from workers.scoring.isolation import process as isolation
from workers.scoring.isolation.process import TextError, TextProcess

# Far more work than the limit of the fixture `hasty` allows: no text has so many sums.
ENDLESS = "wait, 1 + 1 = 2 so no. " * 80_000


@pytest.fixture
def process() -> Iterator[TextProcess]:
    made = TextProcess()
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[TextProcess]:
    made = TextProcess(seconds=0.3)
    yield made
    made.close()


def good(number: int) -> Item:
    text = f"Step 1: 2 + {number} = {2 + number}.\nStep 2: 2 + 2 = 5.\nThe answer is {2 + number}."
    return Item(
        str(number), f"What is 2 + {number}?", text, (str(2 + number),), group=str(number % 50)
    )


def test_scores_are_the_same_as_without_a_process(process: TextProcess) -> None:
    items = sorted((good(n % 70) for n in range(120)), key=lambda item: item.group)
    items.append(Item("x", "q", "So it is \\boxed{\\frac{\\sqrt{3}}{2}}.", ("\\sqrt{3}/2",)))
    items.append(Item("y", "q", "\ud800 half a character", ()))
    here, there = score_items(items), score_items(items, process=process)
    for one, other in zip(here, there, strict=True):
        assert one.item is other.item
        assert one.to_dict() | one.details() == other.to_dict() | other.details()


def test_a_text_past_its_time_fails_alone_and_the_others_are_scored(hasty: TextProcess) -> None:
    items = [good(n) for n in range(60)]
    for place in (0, 30, 31, 62):
        items.insert(place, Item(f"endless{place}", "q", ENDLESS, ("5",)))
    failed: list[tuple[str, str]] = []
    scored = list(
        score_items(
            items,
            process=hasty,
            on_error=lambda item, error: failed.append((item.id, error.args[0])),
        )
    )
    assert [one.item.id for one in scored] == [str(n) for n in range(60)]
    assert all(one.correctness == 1.0 for one in scored)
    reason = "it took more than 0.3 s of processor time"
    assert failed == [(f"endless{place}", reason) for place in (0, 30, 31, 62)]


@pytest.mark.parametrize("first", [0, 3])
def test_many_texts_in_a_row_past_their_time_fail_and_no_other(
    first: int, hasty: TextProcess
) -> None:
    items = [good(n) for n in range(5)]
    items[first:first] = [Item(f"endless{n}", "q", ENDLESS, ("5",)) for n in range(6)]
    failed: list[tuple[str, str]] = []
    note = lambda item, error: failed.append((item.id, error.args[0]))  # noqa: E731
    scored = list(score_items(items, process=hasty, on_error=note))
    assert [one.item.id for one in scored] == [str(n) for n in range(5)]
    reason = "it took more than 0.3 s of processor time"
    assert failed == [(f"endless{n}", reason) for n in range(6)]


def test_many_texts_in_a_row_that_kill_their_process_fail_and_no_other(
    process: TextProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that is killed whenever it is at one of six texts, as by a system short of memory."""
    texts = [((f"{n}/7",), None, ()) for n in range(10)]
    monkeypatch.setenv(KILLS, "6")
    monkeypatch.setattr(pipe, "CHILD", "tests.workers.scoring.killed_child")
    results = list(process.map("references", texts))
    assert [getattr(one, "reason", one) for one in results] == [
        *["the process that worked on it ended (-9)"] * 6, "", "", "", "",
    ]  # fmt: skip


def test_a_process_that_is_always_killed_ends_the_work_and_blames_not_every_text(
    process: TextProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [((f"{n}/7",), None, ()) for n in range(100)]
    monkeypatch.setenv(KILLS, "100")
    monkeypatch.setattr(pipe, "CHILD", "tests.workers.scoring.killed_child")
    monkeypatch.setattr(isolation, "BLAMED_IN_A_ROW", 2)
    with pytest.raises(RuntimeError, match="ends again and again"):
        list(process.map("references", texts))


@pytest.mark.parametrize("large", [2, files.LARGE_GROUP])
def test_a_line_of_a_file_past_its_time_fails_alone_and_is_named(
    large: int, hasty: TextProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a group that is held in memory, and in one that is read twice."""
    monkeypatch.setattr(files, "_texts", lambda: hasty)
    monkeypatch.setattr(files, "LARGE_GROUP", large)
    rows = [
        {"id": str(n), "question": "What is 2 + 3?", "reference_answer": "5", "rationale": text}
        for n, text in enumerate(["The answer is 5.", ENDLESS, "2 + 3 = 5. The answer is 5."])
    ]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "kept").mkdir()
    said: list[tuple[int, str]] = []
    with out.open("wb") as file:
        report = lambda line, reason: said.append((line, reason))  # noqa: E731
        files.score_file(source, file, tmp_path / "kept", report, files.Options())
    scored = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(one["id"], one["score"]["correctness"]) for one in scored] == [("0", 1.0), ("2", 1.0)]
    reason = "it took more than 0.3 s of processor time"
    assert said == [(2, f"the scorer failed on this line: {reason}")]


def test_an_answer_of_an_evaluation_past_its_time_cannot_be_graded_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "TextProcess", lambda: TextProcess(seconds=0.3))
    question = Question.from_dict({"id": "q", "question": "2 + 3?", "reference_answer": "5"})
    answers = [
        Answer("m", "0", "q", text, reason, 1, 1, 0.1)
        for text, reason in [("It is 5.", "stop"), (ENDLESS, "stop"), ("", "error"), ("5", "stop")]
    ]
    first, endless, lost, last = run.scored([question] * 4, answers)
    assert (first["correctness"], lost, last["correctness"]) == (1.0, None, 1.0)
    assert endless["correctness"] is None
    assert "it took more than 0.3 s of processor time" in endless["flags"][0]["message"]


def test_a_text_past_its_memory_fails_alone() -> None:
    process = TextProcess(memory_mib=295)
    calls = [((answer,), None, ()) for answer in ("1/2", "1/2 + " * 17_000_000, "\\frac{1}{2}")]
    first, large, last = process.map("references", calls)
    assert (first, large.reason, last) == ("", "it took too much memory", "")
    process.close()


def test_a_text_longer_than_any_rationale_is_not_tried(process: TextProcess) -> None:
    failed: list[str] = []
    items = [Item("long", "q", "x" * 2_000_001), Item("asked", "q" * 2_000_001, "x"), good(3)]
    scored = score_items(
        items, process=process, on_error=lambda item, error: failed.append(error.args[0])
    )
    assert [one.correctness for one in scored] == [1.0]
    assert failed == ["it has more than 2,000,000 characters"] * 2


def test_a_process_that_somebody_kills_costs_no_text(process: TextProcess) -> None:
    killed = []

    def items() -> Iterator[Item]:
        for number in range(600):
            if (
                number == 500
            ):  # the first ones are scored together before the last ones are looked for
                killed.append(process._child.process.pid)
                os.kill(killed[0], signal.SIGKILL)
            yield replace(good(number), group=str(number))

    assert sum(1 for _ in score_items(items(), process=process)) == 600
    assert process._child.process.pid != killed[0]


def test_what_waits_is_answered_meanwhile_and_an_error_there_leaves_nothing_half_done() -> None:
    asked = []

    def broken() -> None:
        asked.append(1)
        raise KeyError("the database is away")

    process = TextProcess(while_waiting=broken)
    endless = [Item(str(n), "q", ENDLESS, ("5",)) for n in range(100)]
    with pytest.raises(KeyError):
        list(score_items(endless, process=process))
    process.while_waiting = None
    (one,) = score_items([good(3)], process=process)
    assert asked == [1] and one.correctness == 1.0
    process.close()


def test_a_call_without_a_result_says_why(hasty: TextProcess) -> None:
    assert hasty.call("references", ("\\frac{1}{2",), None, ()) != ""
    assert hasty.call("references", ("1/2",), None, ()) == ""
    with pytest.raises(TextError, match="TypeError"):
        hasty.call("references", ("1/2",), None, 7)


def _in_a_fork(process: TextProcess, queue: multiprocessing.Queue) -> None:
    queue.put([one.correctness for one in score_items([good(4)], process=process)])


def test_a_fork_of_its_owner_gets_a_process_of_its_own(process: TextProcess) -> None:
    """Celery's prefork pool forks after the module was loaded, and its workers are daemons."""
    list(score_items([good(1)], process=process))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    fork = context.Process(target=_in_a_fork, args=(process, queue), daemon=True)
    fork.start()
    assert queue.get(timeout=120) == [1.0]
    fork.join(timeout=60)
    assert [one.correctness for one in score_items([good(5)], process=process)] == [1.0]
