"""Long rationales for tests and measurements: steps with right sums, doubts between them, planted slips."""

import random
from collections.abc import Collection


def long_text(
    steps: int,
    slips: Collection[int] = (),
    *,
    seed: int = 1,
    answer: str = "24",
    closes: bool = True,
) -> str:
    """A thought of `steps` - 3 steps, then a final part of three with the answer. A slip is a sum that is
    off by one; every 37th step is a doubt."""
    draw = random.Random(seed)
    lines = ["<think>"]
    for number in range(1, steps - 2):
        a, b = draw.randint(12, 98), draw.randint(12, 98)
        product = a * b + (number in slips)
        if number % 37 == 0 and number not in slips:
            lines.append("Wait, let me check that again.")
        else:
            lines.append(
                f"Row {number} has {a} × {b} = {product} pencils, which we note for the count."
            )
    lines += ["</think>"] * closes
    lines += ["So we divide what is there.", "Each class gets 24 pencils.", f"Answer: {answer}"]
    return "\n".join(lines)
