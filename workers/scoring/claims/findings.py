"""All that the claims of a rationale show: findings with their steps and places, and what others compare.

The rules are written for English; a question with few of its common words is left alone, and so is a step
with LaTeX or powers, in which a number is not what stands beside it.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from workers.scoring.claims.agreement import Clash, clashes
from workers.scoring.claims.divergence import MAX_RESULTS, Result, results_of
from workers.scoring.claims.lexicon import DAYS, STOPS
from workers.scoring.claims.mentions import Mention, mentions_in, mentions_of, names_in
from workers.scoring.claims.provenance import circular, from_nowhere, given_values, strangers
from workers.scoring.claims.tokens import Tokens
from workers.scoring.claims.wording import comparisons, odd_units, other_days
from workers.scoring.equations.equations import check_text, show
from workers.scoring.steps.facts import RationaleFacts, numbers_in, tokens_of

MAX_STEPS = 60  # that are looked at
MAX_FINDINGS = 4  # of one step
ENGLISH = 0.2  # share of a question's words that are common English ones
_MARK = re.compile(r"<<[^<>\n]{0,200}>>")
# Kinds of findings that count against a rationale, each as much as the other.
CODES = ("other_value", "two_values", "unit_misfit", "comparison", "other_day", "circular", "unknown_name",
         "from_nowhere")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a step that does not fit. start, end: its place in the rationale."""

    code: str
    step: int
    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claims:
    """findings: in the order of the steps; plain: how many numbers stand in its prose."""

    findings: tuple[Finding, ...] = ()
    plain: int = 0


NO_CLAIMS = Claims()


class _Question:
    __slots__ = ("days", "given", "is_english", "mentions", "several")

    def __init__(self, text: str):
        tokens = Tokens(text)
        words = [word for kind, word in zip(tokens.kinds, tokens.texts, strict=True) if kind == "w"]
        common = sum(word in STOPS for word in words)
        self.is_english = len(words) < 4 or common >= ENGLISH * len(words)
        self.days = DAYS.intersection(words)
        self.mentions = mentions_in(tokens)
        self.several = len(names_in(tokens)) > 1
        self.given = given_values(text, tokens, self.mentions)


@lru_cache(maxsize=64)
def _question(text: str) -> _Question:
    return _Question(text)


@lru_cache(maxsize=64)
def worked_results(solution: str) -> tuple[tuple[Result, ...], frozenset]:
    """What a worked solution works out, and all its numbers."""
    numbers = frozenset(numbers_in(tokens_of(solution[:20_000]))[:MAX_RESULTS])
    return results_of(map(check_text, solution[:20_000].split("\n")[:MAX_STEPS])), numbers


def _blank_marks(text: str) -> str:
    """The text with spaces for its calculator marks, so that all else stays in its place."""
    return _MARK.sub(lambda m: " " * len(m.group()), text) if "<<" in text else text


def read_claims(question: str, rationale: RationaleFacts, before: int = 0) -> Claims:
    """What the claims of a rationale show beside its question. before: how many steps stand before its
    first."""
    asked = _question(question[:8_000])
    if not asked.is_english:
        return NO_CLAIMS
    texts, starts, mentions = [], [], []
    for facts in rationale.steps[:MAX_STEPS]:
        whole = facts.step.text
        text = _blank_marks(facts.body)
        start = facts.step.start + len(whole) - len(text)
        texts.append(text)
        starts.append(start)
        readable = facts.numbers and "\\" not in text and "^" not in text
        mentions.append(mentions_of(text, start) if readable else [])
    findings = [_of_clash(one) for one in clashes(asked.mentions, mentions, asked.several)]
    findings += _of_wording(question, asked, mentions, texts, starts)
    findings += _of_sources(question, asked, mentions, texts, starts)
    findings.sort(key=lambda one: (one.step, one.start))
    plain = sum(not one.operands for own in mentions for one in own)
    found = _some(findings)
    if before:
        found = [replace(one, step=one.step + before) for one in found]
    return Claims(tuple(found), plain)


def _some(findings: list[Finding]) -> list[Finding]:
    """One finding of a code in a step, and few of a step: the first says enough."""
    out, seen, count = [], set(), {}
    for one in findings:
        if (one.code, one.step) not in seen and count.get(one.step, 0) < MAX_FINDINGS:
            seen.add((one.code, one.step))
            count[one.step] = count.get(one.step, 0) + 1
            out.append(one)
    return out


def _amount(one: Mention) -> str:
    return f"${show(Fraction(one.value))}" if one.kind == "$" else show(Fraction(one.value))


def _of_clash(one: Clash) -> Finding:
    mine, other = one.mention, one.other
    if one.of_question:
        message = f"This says {_amount(mine)} of what the question says {_amount(other)} of."
        return Finding("other_value", one.step, message, mine.start, mine.end)
    message = f"The same words stand here with {_amount(other)} and with {_amount(mine)}."
    return Finding("two_values", one.step, message, mine.start, mine.end)


def _of_wording(question, asked: _Question, mentions, texts, starts) -> list[Finding]:
    out = []
    for at, one, why in odd_units(question, asked.mentions, mentions, texts, starts):
        out.append(Finding("unit_misfit", at, f"The unit does not fit: {why}.", one.start, one.end))
    for at, start, end, shown, right in comparisons(texts):
        message = f"{shown}: that would be {show(Fraction(right))}."
        out.append(Finding("comparison", at, message, starts[at] + start, starts[at] + end))
    for at, one, days in other_days(asked.days, asked.mentions, mentions):
        said = ", ".join(sorted(day.capitalize() for day in days))
        message = f"The question says these numbers of another day ({said})."
        out.append(Finding("other_day", at, message, one.start, one.end))
    return out


def _of_sources(question, asked: _Question, mentions, texts, starts) -> list[Finding]:
    out = []
    for at, one in circular(asked.given, mentions):
        message = f"{_amount(one)} is taken as known before this step works it out."
        out.append(Finding("circular", at, message, one.start, one.end))
    for at, start, name in strangers(question, texts):
        message = f"{name} is not in the question."
        out.append(
            Finding("unknown_name", at, message, starts[at] + start, starts[at] + start + len(name))
        )
    for at, one, term in from_nowhere(set(asked.given), mentions):
        message = (
            f"{show(Fraction(term))} comes neither from the question nor from an earlier step."
        )
        out.append(Finding("from_nowhere", at, message, *one.clause))
    return out
