"""Reads a rationale once: what each step says, computes, repeats and takes from before.

Everything that looks at steps (structure, conciseness, validity) works on these facts, so that a
rationale is tokenised a single time.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from workers.scoring.equations.algebra import Derivation, recomputed
from workers.scoring.equations.equations import Equation, check_text
from workers.scoring.steps.split import Step, body_of, split_steps

LOOK_BACK = 40  # steps that a step is compared with
MAX_QUESTION = 8_000
MAX_WORDS_FROM = 20_000  # characters of a step from which its words are taken

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\\[a-z]+|\d[\d,]*(?:\.\d+)?|\.\d+|[^\W\d_]+")
_COMMON = frozenset(
    "a an the of to in is are was were be been it its this that these those and or so then thus we he she "
    "they i you his her their our my your has have had will would can could for with on at by from as if "
    "therefore hence because since which who what how there here not no do does did also now all each per "
    "total let us get gets need needs one".split()
)
_NUMBER_WORDS = {
    w: Fraction(n)
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    "thirty": Fraction(30),
    "forty": Fraction(40),
    "fifty": Fraction(50),
    "sixty": Fraction(60),
    "seventy": Fraction(70),
    "eighty": Fraction(80),
    "ninety": Fraction(90),
    "hundred": Fraction(100),
    "half": Fraction(1, 2),
    "twice": Fraction(2),
    "double": Fraction(2),
    "dozen": Fraction(12),
    "triple": Fraction(3),
    "quarter": Fraction(1, 4),
    "third": Fraction(1, 3),
    "thrice": Fraction(3),
    "thousand": Fraction(1000),
    "million": Fraction(10**6),
    "couple": Fraction(2),
    "pair": Fraction(2),
}
# Numbers that may enter a rationale from common knowledge: days, hours, per cent, parts.
COMMON_NUMBERS = frozenset(
    Fraction(n)
    for n in (
        0,
        1,
        2,
        3,
        4,
        7,
        10,
        12,
        24,
        30,
        31,
        52,
        60,
        100,
        180,
        360,
        365,
        1000,
        "0.5",
        "0.25",
        "0.01",
        "0.1",
    )
)


@lru_cache(maxsize=20_000)
def number_of(token: str) -> int | Fraction | None:
    """The value of a number token such as "1,234.50"; None for a word or a very long number."""
    if len(token) > 40:
        return None
    text = token.replace(",", "").strip(".")
    if not text:
        return None
    return int(text) if text.isdecimal() else Fraction(text)


@dataclass(slots=True)
class StepFacts:
    """What one step contains.

    words: its tokens in order; content: its words that carry meaning; numbers: values in order;
    equations: the checked ones; repeats: index of an earlier step that says the same, or -1;
    likeness: largest Jaccard overlap of tokens with an earlier step; overlap_question: share of its
    content words that the question has; new_numbers: values not seen before it; new_words: share of
    content words not seen before it.
    """

    step: Step
    words: list[str]
    content: frozenset
    numbers: list[Fraction]
    equations: list[Equation]
    repeats: int = -1
    likeness: float = 0.0
    overlap_question: float = 0.0
    new_numbers: tuple = ()
    new_words: float = 1.0
    early: tuple = ()  # (value, index of the later step that computes it)
    underived: tuple = ()  # equations that cannot follow from those before, as shown
    body: str = ""  # the step's text without its number or bullet

    @property
    def wrong(self) -> list[Equation]:
        """Equations that do not hold."""
        return [e for e in self.equations if not e.holds]


@dataclass(slots=True)
class RationaleFacts:
    """What a whole rationale contains; `question_numbers` and `question_words` are the question's.

    words, numbers, letters: of all steps together; letters are words of one letter, as unknowns are.
    """

    steps: list[StepFacts] = field(default_factory=list)
    question_numbers: frozenset = frozenset()
    question_words: frozenset = frozenset()
    question_letters: frozenset = frozenset()
    question_sequence: tuple[str, ...] = ()  # its tokens in order
    words: frozenset = frozenset()
    numbers: frozenset = frozenset()
    letters: frozenset = frozenset()
    length: int = 0  # tokens

    @property
    def checkable(self) -> int:
        """How many equations were recomputed."""
        return sum(len(s.equations) for s in self.steps)

    @property
    def failed(self) -> int:
        """How many of them do not hold."""
        return sum(len(s.wrong) for s in self.steps)


def tokens_of(text: str) -> list[str]:
    """Lower-case words, LaTeX commands and numbers of a text."""
    return _WORD.findall(text.lower())


def numbers_in(words: list[str]) -> list[Fraction]:
    """Values of the number tokens and number words, in order."""
    out = []
    for word in words:
        if word[0].isdecimal() or word[0] == ".":
            value = number_of(word)
            if value is not None:
                out.append(value)
        elif word in _NUMBER_WORDS:
            out.append(_NUMBER_WORDS[word])
    return out


@lru_cache(maxsize=512)
def _question(question: str) -> tuple[frozenset, frozenset, frozenset, tuple[str, ...]]:
    words = tokens_of(question[:MAX_QUESTION])
    content = frozenset(w for w in words if w not in _COMMON and not w[0].isdecimal())
    letters = frozenset(w for w in words if len(w) == 1 and w.isalpha()) - {"a", "i"}
    return frozenset(numbers_in(words)), content, letters, tuple(words)


def analyse(question: str, rationale: str, steps: list[Step] | None = None) -> RationaleFacts:
    """Facts about every step of a rationale; steps are found in the text unless given."""
    steps = split_steps(rationale) if steps is None else steps
    numbers, content, letters, sequence = _question(question)
    rationale = RationaleFacts([], numbers, content, letters, sequence)
    for step in steps:
        rationale.steps.append(_facts(step))
    rationale.length = sum(len(s.words) for s in rationale.steps)
    rationale.words = frozenset().union(*(s.content for s in rationale.steps))
    rationale.numbers = frozenset().union(*(s.numbers for s in rationale.steps))
    letters = {w for s in rationale.steps for w in s.words if len(w) == 1}
    rationale.letters = frozenset(letters - {"a", "i"})
    _compare_steps(rationale)
    _find_early_values(rationale)
    _find_underived(rationale, question)
    return rationale


def _facts(step: Step) -> StepFacts:
    body = whole = body_of(step.text)
    if "<<" in body:
        equations = check_text(body)
        body = re.sub(r"<<[^<>\n]{0,200}>>", "", body)
    else:
        equations = check_text(body)
    if "\\" in body or "^" in body:
        equations = equations + recomputed(body, equations)
    words = tokens_of(body[:MAX_WORDS_FROM])
    content = frozenset(w for w in words if w not in _COMMON and not w[0].isdecimal())
    return StepFacts(step, words, content, numbers_in(words), equations, body=whole)


def _compare_steps(rationale: RationaleFacts) -> None:
    """Repeats, likeness to earlier steps, and what each step brings that is new."""
    seen_text: dict[tuple, int] = {}
    seen_numbers = set(rationale.question_numbers)
    seen_words = set(rationale.question_words)
    sets: list[frozenset] = []
    for i, facts in enumerate(rationale.steps):
        key = tuple(facts.words)
        facts.repeats = seen_text.get(key, -1) if len(key) > 1 else -1
        seen_text.setdefault(key, i)
        mine = frozenset(key)
        if facts.repeats >= 0:
            facts.likeness = 1.0
        elif mine:
            for other in sets[-LOOK_BACK:]:
                common = len(mine & other)
                if common:
                    likeness = common / (len(mine) + len(other) - common)
                    if likeness > facts.likeness:
                        facts.likeness = likeness
        sets.append(mine)
        if facts.content:
            facts.overlap_question = len(facts.content & rationale.question_words) / len(
                facts.content
            )
            facts.new_words = len(facts.content - seen_words) / len(facts.content)
        else:
            facts.new_words = 0.0
        facts.new_numbers = tuple(n for n in dict.fromkeys(facts.numbers) if n not in seen_numbers)
        seen_numbers.update(facts.numbers)
        seen_words |= facts.content


def _find_early_values(rationale: RationaleFacts) -> None:
    """Operands that only a later step computes: a value used before it is known."""
    first_computed: dict[Fraction, int] = {}
    for i, facts in enumerate(rationale.steps):
        for equation in facts.equations:
            if equation.single:
                first_computed.setdefault(equation.given, i)
    if len(first_computed) < 2:
        return
    seen = set(rationale.question_numbers)
    for i, facts in enumerate(rationale.steps):
        results = {e.given for e in facts.equations}
        early = []
        for equation in facts.equations:
            for value in equation.operands:
                later = first_computed.get(value, -1)
                if (
                    later > i
                    and value not in seen
                    and value not in COMMON_NUMBERS
                    and value not in results
                ):
                    early.append((value, later))
        facts.early = tuple(dict.fromkeys(early))
        seen.update(facts.numbers)


def _find_underived(rationale: RationaleFacts, question: str) -> None:
    """Equations in an unknown that have no solution in common with any before them."""
    derivation = Derivation()
    derivation.read(question[:MAX_QUESTION])
    for facts in rationale.steps:
        facts.underived = tuple(derivation.read(facts.step.text))
