"""What the demo models are trained on: endless seeded streams of examples.

An example is a list of pieces `(text, learn)`: the loss counts the tokens of the pieces that are to
be learnt. Pieces begin at a space or a special token, so that cut into tokens one by one they give
the same tokens as the whole text.
"""

from collections.abc import Callable
from random import Random

from tools.demo.problems import Problem, draw, held_out_hashes, question_hash
from tools.demo.rationales import short_rationale, slipped, wordy_rationale
from tools.demo.story import OPERATORS

USER, ASSISTANT, END, PAD = "<|user|>", "<|assistant|>", "<|end|>", "<|pad|>"
NEXT_STEP = "\nOnly the next step."

Example = list[tuple[str, bool]]
Maker = Callable[[Random], Example]
Mix = tuple[tuple[float, Maker], ...]


def chat(question: str, answer: str) -> Example:
    """One turn as the chat template writes it (see `tokenizer.py`)."""
    return [(f"{USER}{question}{ASSISTANT}", False), (f"{answer}{END}", True)]


def draw_from(rng: Random, mix: Mix) -> Example:
    """An example of the mix: pairs of weight and maker."""
    return rng.choices([m for _, m in mix], [w for w, _ in mix])[0](rng)


def fresh(rng: Random, steps: int | None = None) -> Problem:
    """A problem in the usual words that is not held out."""
    while True:
        problem = draw(rng, steps=steps)
        if question_hash(problem.question) not in held_out_hashes():
            return problem


def _sum(rng: Random, a: int | None = None) -> tuple[int, str, int, int]:
    """One sum `(a, op, b, result)` with all numbers from 1 to 100, `a` given or drawn."""
    while True:
        op = rng.choices("+-*/", (32, 32, 18, 18))[0]
        if a is None and op == "/":
            b, result = rng.randint(1, 20), rng.randint(1, 50)
            first = b * result
        else:
            first = a or rng.randint(1, 50 if op == "*" else 100)
            b = rng.randint(1, 20 if op in "*/" else 100)
            result = OPERATORS[op](first, b)
        if 1 <= result <= 100 and first <= 100:
            return first, op, b, result


def facts(rng: Random) -> Example:
    """Fourteen bare sums; only the results are learnt."""
    pieces: Example = []
    for _ in range(14):
        a, op, b, result = _sum(rng)
        pieces += [(f" {a} {op} {b} =", False), (f" {result}.", True)]
    return pieces


def one_step(rng: Random) -> Example:
    problem = fresh(rng, 1)
    return chat(problem.question, problem.rationale)


def rationales(wordy: float, no_answer: float, slips: float) -> Maker:
    """Problems with rationales, of which these shares are wordy, lack an answer or have a slip."""

    def make(rng: Random) -> Example:
        problem = fresh(rng)
        answer = rng.random() >= no_answer
        steps = slipped(rng, problem.steps) if rng.random() < slips else problem.steps
        if rng.random() < wordy:
            return chat(problem.question, wordy_rationale(rng, problem, steps, answer))
        return chat(problem.question, short_rationale(steps, answer))

    return make


def bare_rationale(rng: Random) -> Example:
    """Two or three sums, each going on with the last result, and no story."""
    a, op, b, result = _sum(rng)
    asked, lines = [f"{a} {op} {b}"], [f"Step 1: {a} {op} {b} = {result}."]
    for i in range(2, rng.randint(2, 3) + 1):
        a, op, b, result = _sum(rng, result)
        asked.append(f"{op} {b}")
        lines.append(f"Step {i}: {a} {op} {b} = {result}.")
    question = "Work out " + ", then ".join(asked) + "."
    return chat(question, "\n".join([*lines, f"Answer: {result}"]))


def straight_answer(rng: Random) -> Example:
    """A problem of several steps answered at once: what a poor student does."""
    problem = fresh(rng, rng.choice((2, 3)))
    return chat(problem.question, f"Answer: {problem.reference_answer}")


def next_step(rng: Random) -> Example:
    """A story, the steps known so far, and the request for only the next one."""
    problem = fresh(rng, rng.choice((2, 3)))
    lines = problem.rationale.split("\n")
    known = rng.randrange(len(lines))
    story = "\n".join([problem.question, *lines[:known]])
    return chat(story + NEXT_STEP, lines[known])
