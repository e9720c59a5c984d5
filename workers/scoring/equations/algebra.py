r"""Checks the mathematics of a text that `equations` leaves alone: LaTeX, powers, roots, unknowns.

Two checks. A calculation whose two sides are numbers is recomputed. An equation in one unknown is
compared with the equations in that unknown before it: in a derivation each shares a solution with one
of them, and one that has none in common, or no solution at all, was not derived from them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from workers.scoring.equations.equations import Equation
from workers.scoring.numbers.latex import MAX_SIZE, Formula, parse, shown, value

MAX_CHARS = 8_000  # of one text
MAX_STATEMENTS = 100  # of one text
MAX_PER_UNKNOWN = 12  # equations in one unknown that a new one is compared with
MAX_DEGREE = 4

_MATHS = re.compile(
    r"\$\$(.{1,600}?)\$\$|(?<!\\)\$(?=\S)((?:[^$\\]|\\.){1,400}?)(?<=\S)\$(?!\d)|\\\[(.{1,600}?)\\\]|\\\((.{1,400}?)\\\)"
    r"|\\begin\{(?:align|aligned|eqnarray|gather)\*?\}(.{1,1500}?)\\end",
    re.S,
)
_BREAK = re.compile(
    r"\\\\|\\implies|\\Rightarrow|\\Longrightarrow|\\iff|\\q?quad|\\text\{ ?(?:or|and) ?\}|;|,\s(?!\d{3}\b)"
)
_RELATION = re.compile(r"(\\approx|≈|=|\\leq?(?![a-z])|\\geq?(?![a-z])|\\neq?(?![a-z])|<|>|≤|≥|≠)")
_LEAVE = re.compile(
    r"\\equiv|\\p?mod|\\pm|\\mp|±|\\sum|\\int|\\lim|\\overline|\\ldots|\\cdots|\.\.\.|\\to"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_ALGEBRA_LINE = re.compile(r"[A-Za-z^]")
# Words by which a text says that what it shows need not hold, or only tries a value.
_DENIED = re.compile(
    r"\b(?:not|n't|never|false|contradict\w*|impossible|extraneous|isn't|doesn't|remainder|mod)\b|n't\b"
)
_TRIED = re.compile(
    r"\b(?:try|tries|trying|test\w*|plug\w*|check\w*|verif\w*|suppose|assum\w*|let|if|case\w*|when"
    r"|choose|chose|pick|guess|say|possib\w*|would)\b"
)
_PLUGGED = re.compile(r"\b(?:plug\w*|substitut\w*|test\w*|check\w*|verif\w*|try|trying)\b")


@dataclass(slots=True)
class Statement:
    """Sides joined by relations, each as text and, where it could be read, as a formula."""

    texts: list[str]
    relations: list[str]
    formulas: list[Formula | None]


def statements(text: str) -> Iterator[Statement]:
    """The equations of a text, in order: those between marks of mathematics, and lines of nothing else."""
    for body in _bodies(text):
        for piece in _BREAK.split(body):
            if "=" not in piece and "≈" not in piece and r"\approx" not in piece:
                continue
            if _LEAVE.search(piece):
                continue
            parts = _RELATION.split(piece)
            sides = [part.strip() for part in parts[::2]]
            yield Statement(sides, parts[1::2], [parse(side) for side in sides])


# "$2009$ as $7 \\cdot 11 \\cdot 13$": two formulas that the words between them call equal.
_CALLED_EQUAL = re.compile(
    r"(?<!of )\$([^$=<>]{1,200})\$,?\s+(?:as|equals|is equal to|simplifies to|can be (?:re)?written as)"
    r"\s+(?:simply |just |then )?\$([^$=<>]{1,200})\$(?!\d)"
)


def _has_maths(text: str) -> bool:
    """Whether there can be anything to check; most texts end here."""
    return ("=" in text and ("\\" in text or "^" in text or "$" in text)) or text.count("$") > 3


def _bodies(text: str) -> Iterator[str]:
    text = text[:MAX_CHARS]
    if "$" not in text and "\\" not in text:
        for line in text.split("\n"):
            # Plain numbers are the business of `equations`.
            if "=" in line and _ALGEBRA_LINE.search(line) and not _WORD.search(line):
                yield line
        return
    for m in _CALLED_EQUAL.finditer(text):
        yield f"{m[1]} = {m[2]}"
    for m in _MATHS.finditer(text):
        yield m[m.lastindex].replace("&", "").replace(r"\begin{aligned}", "")


def recomputed(text: str, known: list[Equation]) -> list[Equation]:
    """The calculations of a text, without those that are `known` already."""
    if not _has_maths(text):
        return []
    if _DENIED.search(text.lower()):
        return []
    tried = bool(_PLUGGED.search(text.lower()))
    values = {
        (float(e.expected), float(e.given))
        for e in known
        if max(abs(e.expected), abs(e.given)) < MAX_SIZE
    }
    out = []
    for number, one in enumerate(statements(text)):
        if number >= MAX_STATEMENTS:
            break
        for i, relation in enumerate(one.relations):
            left, right = one.formulas[i], one.formulas[i + 1]
            if relation not in ("=", r"\approx", "≈") or left is None or right is None:
                continue
            if left.unknowns or right.unknowns or (left.is_plain_number and right.is_plain_number):
                continue
            if tried and left.is_plain_number:
                continue  # "plugging in 1 we get 1 = sqrt(9) + 4": a test, whose sides may differ
            found = _compared(left, right, one.texts[i], one.texts[i + 1], relation)
            if found and (float(found.expected), float(found.given)) not in values:
                out.append(found)
    return out


def _compared(left: Formula, right: Formula, a: str, b: str, relation: str) -> Equation | None:
    expected, given = _real(value(left, {})), _real(value(right, {}))
    if expected is None or given is None:
        return None
    places = [len(m[1]) for text in (a, b) if (m := re.search(r"\.(\d+)\D*$", text))]
    loose = relation != "=" or bool(places)
    holds = _agree(expected, given, loose, places)
    if not holds and (_MIXED.search(a) or _MIXED.search(b)):
        readings = [(x, y) for x in _readings(a, expected) for y in _readings(b, given)]
        holds = any(_agree(x, y, loose, places) for x, y in readings)
        expected, given = readings[-1]
    if not holds and ("÷" in a or r"\div" in a) and math.floor(expected) == given:
        return None  # a quotient whose remainder is left out
    return Equation(
        shown(a),
        shown(b),
        _fraction(expected),
        _fraction(given),
        holds,
        rounded=loose,
        start=0,
        end=0,
        single=right.is_plain_number,
    )


_MIXED = re.compile(r"\d\s?\\[dt]?frac")


def _readings(text: str, product: float) -> list[float]:
    """The values that a text may have where a number stands before a fraction: a product, or mixed."""
    formula = parse(text, mixed=True)
    number = _real(value(formula, {})) if formula else None
    return [product] if number is None else [product, number]


def _real(number: complex | float | None) -> float | None:
    if number is None or (isinstance(number, complex) and abs(number.imag) > 1e-9 * abs(number)):
        return None
    return number.real


def _fraction(number: float) -> Fraction:
    return Fraction(number).limit_denominator(10**6)


def _agree(one: float, other: float, loose: bool, places: list[int]) -> bool:
    gap = abs(one - other)
    if gap <= 1e-6 * max(1.0, abs(one), abs(other)):
        return True
    return loose and gap <= (1.01 * 10 ** -min(places) if places else max(0.51, 0.02 * abs(one)))


@dataclass(slots=True)
class Derivation:
    """The equations in one unknown that a rationale has shown so far, as their solutions."""

    solutions: dict[str, list[list[complex]]] = field(default_factory=dict)

    def read(self, text: str) -> list[str]:
        """Takes a text in; the equations of it that cannot follow from those before."""
        if not _has_maths(text):
            return []
        lower = text.lower()
        only_tried = bool(_TRIED.search(lower) or _DENIED.search(lower))
        out = []
        for number, one in enumerate(statements(text)):
            if number >= MAX_STATEMENTS or any(relation != "=" for relation in one.relations):
                continue
            for i in range(len(one.relations)):
                shown = f"{one.texts[i]} = {one.texts[i + 1]}"
                if (
                    self._strange(one.formulas[i], one.formulas[i + 1], len(one.texts))
                    and not only_tried
                ):
                    out.append(shown)
        return out

    def _strange(self, left: Formula | None, right: Formula | None, sides: int) -> bool:
        if left is None or right is None:
            return False
        unknowns = left.unknowns | right.unknowns
        if len(unknowns) != 1 or (sides > 2 and left.unknowns != right.unknowns):
            return False
        (unknown,) = unknowns
        polynomial = _difference(left, right, unknown)
        if not polynomial:
            return False
        if len(polynomial) == 1:
            return True  # it holds for no value
        own, before = _roots(polynomial), self.solutions.setdefault(unknown, [])
        shared = any(
            abs(a - b) < 1e-4 * max(1.0, abs(a)) for roots in before for a in roots for b in own
        )
        strange = bool(before) and not shared
        if len(before) < MAX_PER_UNKNOWN:
            before.append(own)
        return strange


def _differ(left: Formula, right: Formula) -> bool:
    """Whether two formulas with the same unknowns have different values wherever both have one."""
    gaps = []
    for turn in range(3):
        values = {u: 0.731 + 0.887 * k + 0.513 * turn for k, u in enumerate(sorted(left.unknowns))}
        a, b = value(left, values), value(right, values)
        if a is not None and b is not None:
            gaps.append(abs(a - b) > 1e-6 * max(1.0, abs(a), abs(b)))
    return bool(gaps) and all(gaps)


_POINTS = (-2.0, -1.0, 1.0, 2.0, 3.0)
_PROBES = (0.37, 4.4, -3.3)


def _difference(left: Formula, right: Formula, unknown: str) -> list[complex] | None:
    """Coefficients of left - right, the constant first; [] where both are the same, None where it is no
    polynomial of degree `MAX_DEGREE` or less."""
    values = []
    for x in (*_POINTS, *_PROBES):
        a, b = value(left, {unknown: x}), value(right, {unknown: x})
        if a is None or b is None:
            return None
        values.append(a - b)
    heights = values[: len(_POINTS)]
    size = len(_POINTS)
    for j in range(1, size):  # Newton's divided differences
        for k in range(size - 1, j - 1, -1):
            heights[k] = (heights[k] - heights[k - 1]) / (_POINTS[k] - _POINTS[k - j])
    out: list[complex] = [heights[-1]]
    for k in range(size - 2, -1, -1):  # out * (x - point) + height
        out = [a - _POINTS[k] * b for a, b in zip([0.0, *out], [*out, 0.0], strict=True)]
        out[0] += heights[k]
    for x, seen in zip(_PROBES, values[size:], strict=True):
        if abs(_at(out, x) - seen) > 1e-6 * max(1.0, abs(seen)):
            return None
    largest = max(abs(c) for c in out)
    if largest < 1e-7:
        return []
    while abs(out[-1]) < 1e-7 * largest:
        out.pop()
    return out


def _at(polynomial: list[complex], x: complex) -> complex:
    found = 0.0
    for coefficient in reversed(polynomial):
        found = found * x + coefficient
    return found


def _roots(polynomial: list[complex]) -> list[complex]:
    """All roots of a polynomial, its constant first (Durand and Kerner's iteration)."""
    monic = [c / polynomial[-1] for c in polynomial]
    degree = len(monic) - 1
    reach = max(1.0, max(abs(c) for c in monic) ** 0.5)
    roots = [reach * (0.4 + 0.9j) ** k for k in range(degree)]
    for _ in range(200):
        most = 0.0
        for i, root in enumerate(roots):
            apart = math.prod(
                (root - other for j, other in enumerate(roots) if j != i), start=1 + 0j
            )
            change = _at(monic, root) / (apart or 1e-12)
            roots[i] = root - change
            most = max(most, abs(change))
        if most < 1e-10:
            break
    return roots
