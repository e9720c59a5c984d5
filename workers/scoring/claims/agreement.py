"""Where a step says of a quantity something else than the question, or than itself.

"Each dog takes .5 x 10 = 5 hours a day" against "Each dog takes .5 hours a day"; "the classroom has 3 x 30 =
90 boys" against "the classroom has 30 boys"; "half of her $50" against "half of her $100". Two mentions
speak of the same where unit, rate and marks agree and neither says more than the other; if their values
then differ, one of the two is wrong. A state may change ("Ali has $21 + $50 = $71"): what somebody has may
become the sum of itself and something, and all of several is more than one of them.
"""

from dataclasses import dataclass

from workers.scoring.claims.lexicon import ACTIONS, CONTRASTS, GENERAL, STATES, TIMES
from workers.scoring.claims.mentions import Mention

NEAR = 0.66  # share of the other mention's words that must be there
MAX_COMPARED = 40_000  # pairs of mentions of one rationale


@dataclass(frozen=True, slots=True)
class Clash:
    """Two mentions of the same with different values. of_question: whether the other is the question's."""

    step: int
    mention: Mention
    other: Mention
    of_question: bool


def clashes(question: list[Mention], steps: list[list[Mention]], several: bool) -> list[Clash]:
    """The clashes of all steps, in their order. several: whether the question names more than one."""
    given = {(m.value, m.unit) for m in question}
    by_unit: dict[tuple[str, str], list[Mention]] = {}
    for m in question:
        if m.unit and m.kind not in ("-", "x"):
            by_unit.setdefault((m.kind, m.unit), []).append(m)
    out: list[Clash] = []
    worked_out: set = set()
    for at, mentions in enumerate(steps):
        for i, one in enumerate(mentions):
            if not one.unit or one.kind in ("-", "x"):
                continue
            others = by_unit.get((one.kind, one.unit), ())
            if one.operands:
                out.extend(
                    Clash(at, one, other, True)
                    for other in others
                    if one.value != other.value
                    and same_thing(one, other, several) >= NEAR
                    and not _may_differ(one, other)
                )
                out.extend(
                    Clash(at, one, other, False)
                    for other in mentions[:i]
                    if one.value != other.value and _same_words(one, other)
                )
            elif (one.value, one.unit) not in given or one.marks & {"<", ">"}:
                known = (one.value, one.unit) in worked_out
                out.extend(_restated(at, one, others, several, known))
        worked_out.update((m.value, m.unit) for m in mentions)
    out.extend(_two_rates(steps))
    return out


def _two_rates(steps: list[list[Mention]]) -> list[Clash]:
    """Results of two steps that are per the same and said with the same words: "39 - 15 = 24 pages in one
    day",
    then "24 / 4 = 6 pages per day"."""
    out, earlier = [], {}
    for at, mentions in enumerate(steps):
        for one in mentions:
            if not one.operands or not one.rate or not one.unit:
                continue
            key = (one.unit, one.kind, one.rate, one.own - GENERAL, one.names, one.about, one.numbers,
                   one.marks - {"~"})  # fmt: skip
            before = earlier.setdefault(key, one)
            if (
                before.value != one.value
                and before.value in one.operands
                and set(one.signs) & {"*", "/"}
            ):
                out.append(Clash(at, one, before, False))
    return out


def _restated(at: int, one: Mention, others, several: bool, known: bool) -> list[Clash]:
    """What a step says that the question gives, with another value. known: the value was worked out
    before."""
    found = []
    for other in others:
        near = same_thing(one, other, several)
        if near < NEAR:
            continue
        if one.value == other.value:
            return []
        if near == 1.0 or not (known or one.unit in TIMES):
            found.append(Clash(at, one, other, True))
    return [] if known and one.own & STATES else found


def same_thing(one: Mention, other: Mention, several: bool) -> float:
    """How much of the other's words a mention has that speaks of the same quantity, 0.0 where it does not."""
    if one.marks != other.marks and not (one.rate is not None and one.marks - {"+"} == other.marks):
        return 0.0
    if not _same_rate(one.rate, other.rate):
        return 0.0
    if one.names and other.names and not one.names & other.names:
        return 0.0
    if other.value in one.numbers or one.numbers - other.numbers:
        return 0.0
    mine, theirs = one.own - {one.unit}, other.own - {other.unit}
    said = other.own
    if not theirs - (
        other.rate or frozenset()
    ):  # "... and for 6 days every week": its words stand before
        theirs = theirs | other.context
        said = said | other.context
    shared = (mine & theirs) - GENERAL
    if not (shared - one.rate if one.rate else shared):
        return 0.0
    acts, did = mine & ACTIONS, theirs & ACTIONS
    if acts and ((did and not acts & did) or (not did and "have" in theirs)):
        return 0.0
    extra = mine - said
    if extra and (
        extra & CONTRASTS
        or (several and extra & one.names and not other.somebody)
        or extra - one.names - GENERAL
    ):
        return 0.0
    missed = theirs - mine
    if missed & CONTRASTS or (several and missed & other.names):
        return 0.0
    if not _about_the_same(one, other, several):
        return 0.0
    return 1.0 - len(missed - GENERAL - other.names) / (len(theirs) or 1)


def _about_the_same(one: Mention, other: Mention, several: bool) -> bool:
    """Whether neither is about somebody, or one of several like things, that the other is not about."""
    if not one.names:
        elsewhere = one.about - other.own - other.about
        if elsewhere and (several or elsewhere & CONTRASTS):
            return False
    if not other.names:
        elsewhere = other.about - one.own - one.about
        if elsewhere and (several or elsewhere & CONTRASTS):
            return False
    return True


def _same_rate(one: frozenset | None, other: frozenset | None) -> bool:
    if one is None or other is None:
        return one is other
    return not one or not other or bool(one & other)


def _same_words(one: Mention, other: Mention) -> bool:
    """Whether two clauses of one step have the same words, so that they speak of the same."""
    return (
        one.clause != other.clause
        and one.own == other.own
        and (one.unit, one.kind, one.marks, one.rate)
        == (other.unit, other.kind, other.marks, other.rate)
        and (one.somebody == other.somebody or not one.somebody or not other.somebody)
        and not one.numbers
        and not other.numbers
        and (len(one.own) > 1 or bool(one.marks))
    )


def _may_differ(result: Mention, given: Mention) -> bool:
    """Whether a result may be another value of what is given: a state that changed, or all of several."""
    adds = set(result.signs) <= {"+", "-"}
    if (adds and result.own & STATES) or result.marks & {"<", ">"}:
        return True
    if adds and result.kind == "$" and result.plural:
        return True  # "the fireworks cost" all that is added, "the shirt costs" what it costs
    if given.value not in result.operands:
        return False
    if adds:
        return not result.own - {result.unit} - result.names
    if result.rate is not None:
        return bool((given.rate or frozenset()) - result.rate)
    if given.rated or given.kind == "$":
        return True
    if given.numbers & set(result.operands) and not given.numbers <= result.numbers:
        return True
    if result.names and result.names == given.names and result.own & given.own & ACTIONS:
        return False
    return not result.own - {result.unit} >= given.own - {given.unit} - GENERAL
