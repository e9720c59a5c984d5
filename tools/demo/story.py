"""The parts that a word problem is made of: words, a story being told, and its steps.

A kind of problem (see `kinds_*.py`) is a function that tells a story to a `Story`: it *says*
sentences of the question, works out *steps*, and *asks*. The story checks every number, so that a
kind cannot make a problem outside the bounds that the small models can learn.
"""

from dataclasses import dataclass
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _names(she: str, he: str) -> tuple[tuple[str, str], ...]:
    return tuple((n, "she") for n in _words(she)) + tuple((n, "he") for n in _words(he))


# The words of the pre-training, the train and the eval questions.
NAMES = _names(
    "Ann Mia Zoe Lena Sara Nora Ruth Ella Ivy Kate Maya Rosa",
    "Tom Ben Max Leo Sam Paul Omar Noah Ivan Luke Hugo Adam",
)
THINGS = _words(
    "apples pens books coins stamps cards shells marbles stickers cookies pears balls "
    "cups beads buttons plums toys candles keys flowers"
)

# Words that no model has met: only in the "new words" subset.
NEW_NAMES = _names(
    "Freya Oksana Priya Chiara Wanda Yuki Beatriz Gwen",
    "Dmitri Kofi Sven Rajesh Matteo Quentin Jorge Viktor",
)
NEW_THINGS = _words(
    "walnuts ribbons magnets pebbles lemons whistles badges turnips feathers kites muffins "
    "crayons acorns dominoes spoons tulips"
)

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b if b and a % b == 0 else -1,
}


class OutOfBounds(ValueError):
    """The numbers drawn do not make a problem of this kind; draw again."""


@dataclass(frozen=True)
class Step:
    """One step of the gold rationale: `words: a op b = result`."""

    words: str
    a: int
    op: str
    b: int
    result: int

    @property
    def equation(self) -> str:
        return f"{self.a} {self.op} {self.b} = {self.result}"


@dataclass(frozen=True)
class Style:
    """How a story is told.

    `names` are (name, pronoun) pairs; `wording` is "usual" (two wordings a sentence) or "other" (a
    third); `limit` is the largest operand or result.
    """

    names: tuple[tuple[str, str], ...] = NAMES
    things: tuple[str, ...] = THINGS
    wording: str = "usual"
    limit: int = 100


USUAL = Style()
PARAPHRASE = Style(wording="other")
NEW_WORDS = Style(names=NEW_NAMES, things=NEW_THINGS)
FLOOR = Style(limit=1000)


class Story:
    """A question that is being told: sentences, steps and the words they use."""

    def __init__(self, rng: Random, style: Style) -> None:
        self.rng = rng
        self.style = style
        (name, she), (friend, _), (third, _) = rng.sample(style.names, 3)
        thing, other_thing = rng.sample(style.things, 2)
        self.words = {
            "N": name,
            "she": she,
            "She": she.capitalize(),
            "her": "her" if she == "she" else "him",
            "F": friend,
            "T": third,
            "things": thing,
            "others": other_thing,
        }
        self.sentences: list[str] = []
        self.steps: list[Step] = []

    def number(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return self.rng.randint(low, high)

    def chance(self) -> bool:
        return self.rng.random() < 0.5

    def say(self, first: str, second: str, other: str, **numbers: int) -> None:
        """Add a sentence to the question: one of the two usual wordings, or the other one."""
        if self.style.wording == "other":
            text = other
        else:
            text = first if self.chance() else second
        self.sentences.append(text.format(**self.words, **numbers))

    ask = say

    def step(self, first: str, second: str, a: int, op: str, b: int) -> int:
        """Add a step in one of two wordings and return its result.

        Raises OutOfBounds where an operand or the result is not a whole number from 1 to the limit.
        """
        result = OPERATORS[op](a, b)
        if not all(1 <= n <= self.style.limit for n in (a, b, result)):
            raise OutOfBounds(f"{a} {op} {b} = {result}")
        words = (first if self.chance() else second).format(**self.words, a=a, b=b)
        self.steps.append(Step(words, a, op, b, result))
        return result

    @property
    def question(self) -> str:
        return " ".join(self.sentences)
