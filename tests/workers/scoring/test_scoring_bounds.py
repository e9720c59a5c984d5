"""Nothing that a model writes may hang, swell or kill the scorer."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.bombs import bomb_texts
from workers.scoring import Item, find_answer, score_items, split_steps
from workers.scoring.grade.cannot_compare import CannotCompare
from workers.scoring.grade.math_verify import HardComparer

PIECES = [
    "The answer is ", r"\boxed{", "}", "#### ", "A: ", "1", "23", ".", ",", " + ", " = ", "(", ")", "[",
    "]", "$", "\n", "so ", "x", r"\frac{", "/", "%", "and ", " or ", "<think>", "</think>", "-", "−", "½",
    "^", "_", "two ", "hundred ", "\x00", "é", "1,000", "2:30", "pm", r"\begin{pmatrix}", "&", r"\\", ";",
    "!", "<<", ">>",
]  # fmt: skip


TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40).map("".join)


@pytest.fixture
def comparer():
    made = HardComparer(time_limit=1.0)
    yield made
    made.close()


@pytest.mark.parametrize("bomb", bomb_texts(25), ids=lambda b: b["id"])
def test_a_bomb_costs_seconds_and_is_scored(bomb):
    start = time.process_time()  # what the child that compares may take is bounded in `hard`
    item = Item(bomb["id"], bomb["question"], bomb["rationale"], (bomb["reference_answer"],))
    assert len(list(score_items([item]))) == 1
    assert time.process_time() - start < 30


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40).map("".join),
    st.sampled_from(["5", "x"]),
)
def test_any_text_gets_a_score_with_spans_inside_it(text, reference):
    scored = next(
        iter(score_items([Item("1", "2 + 3 = ?", text, (reference,))], hard=lambda a, b: False))
    )
    found = find_answer(text)
    assert found.answer is None or 0 <= found.start <= found.end <= len(text)
    for step in split_steps(text):
        assert text[step.start : step.end] == step.text
    for value in (
        scored.overall,
        scored.validity,
        scored.redundancy,
        scored.structure,
        scored.conciseness,
    ):
        assert 0.0 <= value <= 1.0


def test_a_comparison_that_runs_away_is_ended_and_the_next_one_works(comparer):
    assert isinstance(comparer.compare("(x+y+z)^{901}", "(z+y+x)^{902}"), CannotCompare)
    assert comparer.compare(r"\sqrt{18}", r"3\sqrt{2}") is True
    assert comparer.compare(r"1+\frac{1}{e}", r"1-\frac{1}{e}") is False


def test_the_child_is_started_again_after_it_was_killed(comparer):
    assert comparer.compare("x+1", "1+x") is True
    os.killpg(comparer._process.pid, signal.SIGKILL)
    comparer.compare("x+2", "2+x")
    assert comparer.compare("x+3", "3+x") is True


def _in_a_daemon(queue):
    made = HardComparer()
    queue.put(made.compare("x+1", "1+x"))
    made.close()


def test_it_works_in_a_daemon_process_and_off_the_main_thread(comparer):
    """Celery's prefork workers are daemons, and its thread pool has no signals."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_in_a_daemon, args=(queue,), daemon=True)
    process.start()
    assert queue.get(timeout=60) is True
    process.join(timeout=30)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(comparer.compare("2x", "x+x")))
    thread.start()
    thread.join(timeout=60)
    assert seen == [True]
