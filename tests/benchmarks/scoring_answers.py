"""How well answers are found and graded, as rows of `make bench-scoring` (alone: ARGS=--answers).

Each row has its 95% Wilson interval (`workers.evaluation.statistics.share`). Which files the rules were
written on is said in the row: "tuned" were looked at while writing them, "held out" were not.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from workers.evaluation import statistics
from workers.scoring import Item, find_answer, grade
from workers.scoring.contract import item_from
from workers.scoring.scorer import kind_of

OWN_PROBES = Path(__file__).parents[1] / "workers" / "scoring" / "data" / "grading_probes.jsonl"
TUNED_GSM8K = 3_000  # questions of gsm8k_train whose unmarked solutions were looked at
Found = tuple[str, str, str, bool | None]  # what, shown, wanted, met


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def verdict(item: Item) -> tuple[str, str]:
    """(verdict, why it was not read) of one rationale."""
    found = find_answer(item.rationale, kind_of(item), item.choices, item.finish_reason)
    graded = grade(found, item.references, item.answer_type, item.choices, item.question)
    return graded.verdict, graded.unread


def shown(good: int, of: int) -> str:
    """ "119 of 120 = 99.2% (95.4 to 99.9)"."""
    found = statistics.share(good, of)
    return f"{good:,} of {of:,} = {good / of:.1%} ({found.low:.1%} to {found.high:.1%})"


def probes(path: Path, name: str, wanted: float) -> Iterator[Found]:
    """Probes by kind: right where they should be, and nothing accepted that should not be."""
    if not path.is_file():
        return
    rows = read(path)
    kinds: dict[str, list[tuple[bool, bool]]] = {}
    for row in rows:
        accepted = verdict(item_from(row))[0] == "right"
        kinds.setdefault(row["kind"], []).append((accepted, row["expect"] == 1))
    pairs = [pair for of_kind in kinds.values() for pair in of_kind]
    agree = sum(a == b for a, b in pairs)
    false = sum(a and not b for a, b in pairs)
    yield (
        f"{name}: as expected; false accepts",
        f"{shown(agree, len(pairs))}; {false}",
        f"{wanted:.0%}, none",
        agree / len(pairs) >= wanted and not false,
    )
    for kind, of_kind in sorted(kinds.items()):
        good = sum(a == b for a, b in of_kind)
        yield f"    {kind}", f"{good} of {len(of_kind)}", "shown", None


def all_right(
    name: str, items: Iterable[Item], wanted: float, *, cut_off: bool = False
) -> Iterator[Found]:
    """Rationales whose answer is the reference: how many are graded right."""
    found = [verdict(item) for item in items]
    right = sum(one == "right" for one, _ in found)
    yield name, shown(right, len(found)), f"at least {wanted:.1%}", right / len(found) >= wanted
    unread = sum(one == "not_read" for one, _ in found)
    yield "    not read", f"{unread}", "shown", None
    if cut_off:
        cut = sum(why == "cut_off" for _, why in found)
        yield "    called cut off", f"{cut}", "none", cut == 0


def unmarked_gsm8k(data: Path) -> Iterator[Found]:
    """Worked solutions without their marks and their last line, told to have stopped by themselves."""
    items = []
    for number, row in enumerate(read(data / "gsm8k_train.jsonl")):
        text, _, answer = row["answer"].rpartition("\n#### ")
        text = re.sub(r"<<[^<>]*>>", "", text)
        items.append(
            Item(str(number), row["question"], text, (answer,), "number", finish_reason="stop")
        )
    parts = (("tuned", items[:TUNED_GSM8K]), ("held out", items[TUNED_GSM8K:]))
    for how, part in parts:
        yield from all_right(f"gsm8k_train without marks, {how}", part, 0.98, cut_off=True)


def bbh(data: Path) -> Iterator[Found]:
    """Outputs of a model on BIG-Bench Hard: accepted where the label says so, and only there."""
    rows = read(data / "bbh_outputs_dev.jsonl")
    accepted = [
        verdict(Item(str(n), row["question"], row["output"], (row["target"],)))[0] == "right"
        for n, row in enumerate(rows)
    ]
    same = sum(a == bool(row["agrees"]) for a, row in zip(accepted, rows, strict=True))
    false = sum(a and not row["agrees"] for a, row in zip(accepted, rows, strict=True))
    yield (
        "bbh_outputs_dev (tuned): as labelled; false accepts",
        f"{shown(same, len(rows))}; {false}",
        "at least 99.2%",
        same / len(rows) >= 0.992,
    )


def mathematics(data: Path) -> Iterator[Found]:
    """MATH-500's own solutions, its answers in a plain sentence, and solutions of other questions."""
    rows = read(data / "math500_dev.jsonl")
    own = [Item(str(n), r["problem"], r["solution"], (r["answer"],)) for n, r in enumerate(rows)]
    yield from all_right("math500_dev (tuned), own solutions", own, 0.99)
    said = [
        Item(str(n), r["problem"], f"The final answer is ${r['answer']}$.", (r["answer"],))
        for n, r in enumerate(rows)
    ]
    yield from all_right("math500_dev (tuned), answers in a sentence", said, 0.95)
    others = [
        verdict(Item(str(n), r["problem"], rows[(n + 7) % len(rows)]["solution"], (r["answer"],)))[
            0
        ]
        for n, r in enumerate(rows)
        if r["answer"] != rows[(n + 7) % len(rows)]["answer"]
    ]
    false = others.count("right")
    yield (
        "math500_dev, solutions of other questions accepted",
        f"{false} of {len(others)}",
        "none",
        not false,
    )


def mgsm(data: Path) -> Iterator[Found]:
    """Worked examples in six languages, each with its answer and with a wrong one."""
    rows = read(data / "mgsm_solutions_dev.jsonl")
    items = [
        Item(str(n), r["question"], r["rationale"], (r["answer"],)) for n, r in enumerate(rows)
    ]
    yield from all_right("mgsm_solutions_dev (tuned), six languages", items, 1.0)
    wrong = [
        verdict(Item(str(n), r["question"], r["rationale"], (str(int(r["answer"]) + 1),)))[0]
        for n, r in enumerate(rows)
    ]
    false = wrong.count("right")
    yield (
        "mgsm_solutions_dev with a wrong reference: accepted",
        f"{false} of {len(rows)}",
        "none",
        not false,
    )


def rows(data: Path) -> Iterator[Found]:
    """All rows; those whose file is absent are left out."""
    yield from probes(data.parent / "cases" / "grading.jsonl", "cases/grading.jsonl (tuned)", 0.97)
    yield from probes(OWN_PROBES, "own probes (tuned)", 0.97)
    for part, file in (
        (unmarked_gsm8k, "gsm8k_train.jsonl"),
        (bbh, "bbh_outputs_dev.jsonl"),
        (mathematics, "math500_dev.jsonl"),
        (mgsm, "mgsm_solutions_dev.jsonl"),
    ):
        if (data / file).is_file():
            yield from part(data)
