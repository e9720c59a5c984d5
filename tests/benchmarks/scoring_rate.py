"""How fast the scorer is beside Math-Verify alone: part of `make bench-scoring`, alone
`python -m tests.benchmarks.scoring_rate`.

Each side is a process of its own and reads the same texts (a sample of the labelled solutions) in the same
order. The first pass of each is cold: imports are done, caches are empty; it is shown apart. From then on
both are equally warm and take turns, in a round first one side, in the next round first the other. A rate
is texts a second of processor time, child processes included, so that other work on the machine matters
little; the ratio is taken within a round.

Sides: `scorer` calls `score_items`; `isolated` does so as the worker of the app does, in a child process
with limits (`TextProcess`); `math-verify` parses the number of the reference and the text, and compares
them. The scorer does more with a text than that: it also reads the reference and the question, checks steps
and equations and gives all its scores.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psutil

TEXTS, ROUNDS = 1_400, 6
SIDES = ("scorer", "isolated", "math-verify")


def read_texts(data: Path, count: int) -> list[tuple[str, str, str]]:
    """(question, reference, rationale) of `count` labelled solutions, those of one question together."""
    rows = []
    for line in (data / "gsm8k_teachers_dev.jsonl").open(encoding="utf-8"):
        row = json.loads(line)
        solutions = [one["solution"] for one in row.values() if isinstance(one, dict)]
        rows.append([(row["question"], row["ground_truth"], text) for text in solutions])
    random.Random(0).shuffle(rows)
    return [one for row in rows for one in row][:count]


def scorer(texts: list[tuple[str, str, str]], is_isolated: bool) -> Callable[[], int]:
    from workers.scoring import Item, score_items
    from workers.scoring.isolation.process import TextProcess

    items = [
        Item(str(n), question, text, (reference,), group=question)
        for n, (question, reference, text) in enumerate(texts)
    ]
    process = TextProcess() if is_isolated else None
    return lambda: sum(1 for _ in score_items(items, process=process))


def math_verify(texts: list[tuple[str, str, str]]) -> Callable[[], int]:
    import logging

    from math_verify import parse, verify

    logging.disable(logging.WARNING)  # it warns once that its own time limit is off

    def once() -> int:
        for _, reference, text in texts:
            gold = parse(reference.rsplit("A:", 1)[1], parsing_timeout=None)
            verify(gold, parse(text, parsing_timeout=None), timeout_seconds=None)
        return len(texts)

    return once


def serve(side: str, data: Path, count: int) -> None:
    """One side: a pass for each line of standard input, one line of JSON for each pass."""
    texts = read_texts(data, count)
    one_pass = math_verify(texts) if side == "math-verify" else scorer(texts, side == "isolated")
    print(json.dumps({"ready": side}), flush=True)
    for _ in sys.stdin:
        before, began = processor_seconds(), time.perf_counter()
        done = one_pass()
        wall, used = time.perf_counter() - began, processor_seconds() - before
        print(json.dumps({"rate": done / used, "clock": done / wall}), flush=True)


def processor_seconds() -> float:
    """Processor time of this process and of its children, running and ended."""
    total = time.process_time() + sum(os.times()[2:4])
    for child in psutil.Process().children(recursive=True):
        total += sum(child.cpu_times()[:4])
    return total


class Side:
    """The process of one side, waiting for its next pass."""

    def __init__(self, name: str, data: Path, count: int) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.benchmarks.scoring_rate", "--serve", name),
                *("--data", str(data), "--texts", str(count)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def once(self) -> dict[str, float]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, float]:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of {self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def measure(
    data: Path, count: int = TEXTS, rounds: int = ROUNDS
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Texts a second of processor time and of the clock, each by side: the cold pass first, then one for
    each round."""
    sides = [Side(name, data, count) for name in SIDES]
    rates: dict[str, list[float]] = {name: [] for name in SIDES}
    clock: dict[str, list[float]] = {name: [] for name in SIDES}
    try:
        for number in range(1 + rounds):
            for side in sides if number % 2 == 0 else sides[::-1]:
                figures = side.once()
                rates[side.name].append(figures["rate"])
                clock[side.name].append(figures["clock"])
    finally:
        for side in sides:
            side.close()
    return rates, clock


def ratios(rates: dict[str, list[float]], side: str) -> tuple[float, float, float, float]:
    """(cold, median, lowest, highest) of a side's rate divided by Math-Verify's of the same round."""
    cold, *warm = (a / b for a, b in zip(rates[side], rates["math-verify"], strict=True))
    return cold, statistics.median(warm), min(warm), max(warm)


def lines(rates: dict[str, list[float]]) -> Iterator[str]:
    """A table for docs/benchmarks.md."""
    yield "| side | cold, texts/s | warm: median (lowest to highest) | ratio to Math-Verify: cold; warm |"
    yield "| --- | --- | --- | --- |"
    for side, (cold, *warm) in rates.items():
        first, middle, low, high = ratios(rates, side)
        yield (
            f"| {side} | {cold:,.0f} | {statistics.median(warm):,.0f} ({min(warm):,.0f} to {max(warm):,.0f}) "
            f"| {first:.2f}; {middle:.2f} ({low:.2f} to {high:.2f}) |"
        )


def main() -> int:
    from workers.scoring.fitting.dev_data import default_data

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.data, options.texts)
    else:
        print(
            f"{options.texts:,} texts, {options.rounds} rounds after the cold pass; {date.today()}"
        )
        for what, rates in zip(
            ("processor time", "the clock"),
            measure(options.data, options.texts, options.rounds),
            strict=True,
        ):
            print(f"\nTexts a second of {what}\n\n" + "\n".join(lines(rates)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
