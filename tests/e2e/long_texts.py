"""Long rationales for tests and measurements: steps with right sums, doubts between them, planted slips."""

import random
from collections.abc import Collection

QUESTION = "A school has 14 shelves with 36 pencils each. How many pencils are on them?"


def long_text(
    steps: int,
    slips: Collection[int] = (),
    *,
    seed: int = 1,
    answer: str = "24",
    closes: bool = True,
) -> str:
    """A thought of `steps` - 3 steps, then a final part of three with the answer. A slip is a sum that is
    off by one, and the text goes on from there; every 37th step is a doubt. No two sums are the same."""
    draw, value = random.Random(seed), 504
    lines = ["<think>"]
    for number in range(1, steps - 2):
        if number == 1:
            lines.append("14 × 36 = 504 pencils stand there at first.")
            continue
        if number % 37 == 0 and number not in slips:
            lines.append("Wait, let me check that again.")
            continue
        more = draw.choice((14, 36))
        before, value = value, value + more + (number in slips)
        lines.append(f"We put {more} pencils to them and count anew: {before} + {more} = {value}.")
    lines += ["</think>"] * closes
    lines += [
        "So we divide what is there.",
        f"Each class gets {answer} pencils.",
        f"Answer: {answer}",
    ]
    return "\n".join(lines)
