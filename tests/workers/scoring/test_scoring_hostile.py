"""Texts made to hold the scorer up are scored like others, each within its limit of time."""

from collections.abc import Iterator

import pytest

from tests.benchmarks.hostile import LONG, PLACES, UNITS, hostile_texts
from workers.scoring import Item, score_items
from workers.scoring.isolation.process import TextProcess

RIGHT = "2 + 3 = 5.\nThe answer is 5."


@pytest.fixture
def process() -> Iterator[TextProcess]:
    made = TextProcess()
    yield made
    made.close()


def item_with(where: str, name: str, text: str) -> Item:
    """An item with this text in one of its places, and a right rationale."""
    return {
        "rationale": Item(name, "What is 2 + 3?", text, ("5",)),
        "question": Item(name, text, RIGHT, ("5",)),
        "reference": Item(name, "What is 2 + 3?", RIGHT, (text,)),
        "choices": Item(name, "Which?", "The answer is A.", ("A",), choices=(text, "5")),
    }[where]


@pytest.mark.timeout(600)
def test_long_texts_of_every_kind_are_scored_wherever_they_stand(process: TextProcess) -> None:
    """Every unit once, in turn at each place of a rationale and of an item; good ones beside them.
    `make bench-hostile` tries all."""
    failed: list[tuple[str, str]] = []
    items = []
    wheres = ("rationale", "question", "rationale", "reference", "rationale", "choices")
    for number, unit in enumerate(UNITS):
        at = number % len(PLACES)
        texts = list(hostile_texts(len(PLACES), LONG, (unit,)))
        name, text = texts[at]
        items.append(item_with(wheres[number % len(wheres)], name, text))
        items.append(Item(f"good {number}", "What is 2 + 3?", RIGHT, ("5",), group=str(number)))
    scored = score_items(
        items,
        process=process,
        on_error=lambda item, error: failed.append((item.id, error.args[0])),
    )
    found = {one.item.id: one for one in scored}
    assert failed == []
    assert all(found[f"good {n}"].correctness == 1.0 for n in range(len(UNITS)))
