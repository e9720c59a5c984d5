"""Review tasks for the peers: a question of GSM8K with the solutions of its four models.

Read from the development data (`gsm8k_teachers_dev.jsonl`), whose questions are repeated, each time under an
id of its own, until there are as many as wanted.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODELS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


def make_tasks(file: Path, count: int) -> Iterator[dict[str, Any]]:
    """`count` tasks: ref, question, gold, n_correct, and solutions with model, text and is_correct."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    for number in range(count):
        copy, place = divmod(number, len(rows))
        row = rows[place]
        solutions = [
            {"model": model, "text": row[model]["solution"], "is_correct": row[model]["is_correct"]}
            for model in MODELS
        ]
        yield {
            "ref": f"gsm8k-{place:04d}-{copy:03d}",
            "question": row["question"],
            "gold": row["ground_truth"].rsplit("A:", 1)[-1].strip(),
            "n_correct": sum(one["is_correct"] for one in solutions),
            "solutions": solutions,
        }
