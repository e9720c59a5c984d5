"""Texts made to hold the scorer up are scored like others, each within its limit of time."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.hostile import UNITS, hostile_texts
from workers.scoring import Item, score_items
from workers.scoring.isolation.process import TextProcess


@pytest.fixture(scope="module")
def process() -> Iterator[TextProcess]:
    made = TextProcess()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("where", ["rationale", "question", "reference", "choices"])
def test_long_texts_of_every_kind_are_scored_wherever_they_stand(
    where: str, process: TextProcess
) -> None:
    """Each within the limit of processor time for one text, beside good ones."""
    failed: list[tuple[str, str]] = []
    right = "2 + 3 = 5.\nThe answer is 5."
    count = 5 * len(UNITS) if where == "rationale" else len(UNITS)
    items = []
    for name, text in hostile_texts(count):
        item = {
            "rationale": Item(name, "What is 2 + 3?", text, ("5",)),
            "question": Item(name, text, right, ("5",)),
            "reference": Item(name, "What is 2 + 3?", right, (text,)),
            "choices": Item(name, "Which?", "The answer is A.", ("A",), choices=(text, "5")),
        }
        items += [item[where], Item("good", "What is 2 + 3?", right, ("5",))]
    scored = list(
        score_items(
            items,
            process=process,
            on_error=lambda item, error: failed.append((item.id, error.args[0])),
        )
    )
    assert failed == []
    good = [one for one in scored if one.item.id == "good"]
    assert len(good) == count and all(one.correctness == 1.0 for one in good)
