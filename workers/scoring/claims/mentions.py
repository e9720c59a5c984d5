"""What a text says of each of its numbers: how much of what, of whom, per what.

"Each dog takes .5 hours a day to walk" says 0.5 of {hour}, with {dog, take, day, walk} around it, per {dog,
day}. "The shirt costs $25 + $35 = $60" says 60 of money, with {shirt, cost} around it, as the result of a
calculation over 25 and 35. Two such mentions can then be put side by side, see `agreement`.
"""

from fractions import Fraction
from typing import NamedTuple

from workers.scoring.claims.lexicon import (
    ADVERBIAL,
    AFTER_FIRST,
    AFTER_NAME,
    AFTER_TIMES,
    ASKS,
    BREAKS,
    CONTRASTS,
    EACH,
    GENERAL,
    MARKS,
    MEASURED,
    MULTIPLES,
    NO_UNIT,
    NOT_BEFORE_RATE,
    NUMBERS,
    PERIODS,
    PRONOUNS,
    STOPS,
    VERBS,
    stem,
)
from workers.scoring.claims.tokens import Tokens

MAX_CLAUSE = 60  # words that are gathered around one number
_PLAIN_SIGN = {"×": "*", "x": "*", "·": "*", "÷": "/", "−": "-"}
_SAYS_RATE = EACH | {"a", "an", "one", "/"}
_NOTHING: frozenset = frozenset()


class Mention(NamedTuple):
    """One number of a text with what is said of it.

    value: as shown; kind: "$" money, "%" share, "x" a multiple ("4 times as many"), "-" no quantity that
    could be
    compared (a fraction, a time of day, "5-star"), "" anything else; unit: stem of the noun that it counts,
    ""
    where none is found; own: stems of its clause and of what leads to it; about: names and words of contrast
    that stand before in its sentence; context: stems of the clauses before in its sentence; plural: whether
    a noun
    of the clause is in the plural; marks: which of several like quantities (total, left, more); rate: stems
    of
    what it is per (empty where that is not said), None where it is per nothing; names: stems of the words
    of its
    clause in capitals; somebody: the pronouns of the clause; rated: whether its sentence speaks of one of
    several ("each", "a cup has"); numbers: the other numbers of its clause that are in no calculation;
    operands,
    units, signs: of the calculation that it is the result of (a unit is "" where none is written), () and
    "" where
    it is plain; start, end: its span; clause: the span of its clause.
    """

    value: int | Fraction
    kind: str
    unit: str
    own: frozenset
    about: frozenset
    context: frozenset
    plural: bool
    marks: frozenset
    rate: frozenset | None
    names: frozenset
    somebody: frozenset
    rated: bool
    numbers: frozenset
    operands: tuple
    units: tuple
    signs: str
    start: int
    end: int
    clause: tuple[int, int]


class _Clause(NamedTuple):
    first: int
    behind: int
    own: frozenset
    about: frozenset
    context: frozenset
    plural: bool
    marks: frozenset
    names: frozenset
    somebody: frozenset
    rated: bool


def mentions_of(text: str, offset: int = 0) -> list[Mention]:
    """The mentions of a text in their order; spans are moved by `offset`."""
    return mentions_in(Tokens(text), offset)


def mentions_in(tokens: Tokens, offset: int = 0) -> list[Mention]:
    """The same of a text that is cut into tokens."""
    kinds, texts, values, inside = tokens.kinds, tokens.texts, tokens.values, tokens.inside
    out: list[Mention] = []
    lead = about = context = lead_numbers = _NOTHING
    lead_marks: set = set()
    rated = False
    for a, b, begins in _clauses(tokens):
        if begins:  # a sentence
            lead = about = context = lead_numbers = _NOTHING
            lead_marks = set()
            rated = texts[a] in ("a", "an", "one")
        if not rated:
            rated = not EACH.isdisjoint(texts[a:b])
        own, names, marks, somebody, plain, plural = [], [], set(), set(), [], False
        for i in range(a, b):
            if inside and i in inside:
                continue
            word = texts[i]
            if values[i] is not None:
                if word != "one":
                    plain.append(i)
            elif kinds[i] == "w":
                if word in STOPS:
                    if word in PRONOUNS:
                        somebody.add(word)
                elif word in MARKS:
                    marks.add(MARKS[word])
                elif word == "first" and not AFTER_FIRST.isdisjoint(texts[i + 1 : i + 2]):
                    pass
                elif len(own) < MAX_CLAUSE:
                    one = stem(word)
                    own.append(one)
                    if i in tokens.capitals:
                        names.append(one)
                    elif word[-1] == "s" and one not in GENERAL:
                        plural = True
        results = [one for one in tokens.calculations if a <= one[2] < b]
        numbers = frozenset([values[i] for i in plain])
        if plain or results:
            clause = _Clause(a, b, lead.union(own), about, context, plural, frozenset(marks | lead_marks),
                             frozenset(names), frozenset(somebody), rated)  # fmt: skip
            for i in plain:
                others = (numbers - {values[i]}) | lead_numbers
                out.append(_mention(tokens, i, clause, others, None, offset))
            for one in results:
                out.append(_mention(tokens, one[2], clause, numbers | lead_numbers, one, offset))
        adverbial = begins and texts[a] in ADVERBIAL and not results
        if adverbial or (not (plain or results) and texts[a] not in ASKS):
            lead = lead.union(own)
            lead_marks |= marks
            if adverbial:
                lead_numbers = lead_numbers | numbers
        about = about.union(names, CONTRASTS.intersection(own))
        context = context.union(own)
    return out


def _clauses(tokens: Tokens) -> list[tuple[int, int, bool]]:
    """(first, behind last, begins a sentence) of each clause; a calculation is never cut."""
    kinds, texts, values, inside = tokens.kinds, tokens.texts, tokens.values, tokens.inside
    out: list[tuple[int, int, bool]] = []
    start, fresh, numbered = 0, True, False
    for i, kind in enumerate(kinds):
        if i in inside:
            numbered = True
            continue
        if values[i] is not None:
            numbered = True
            continue
        if kind == "w":
            text = texts[i]
            if text in BREAKS:
                cut = True
            elif text == "than":
                cut = values[i + 1 : i + 2] == [None] and kinds[i + 1] != "m"
            elif text == "and":
                cut = numbered and _number_ahead(tokens, i)
            elif text == "for":
                cut = texts[i + 1 : i + 3] in (["a", "total"], ["total", "of"])
            else:
                continue
        elif kind == "s":
            text = texts[i]
            if text == ":":
                cut = kinds[i + 1 : i + 2] not in (["n"], ["m"])
            elif text == ".":  # not behind an initial
                cut = not (i and kinds[i - 1] == "w" and len(texts[i - 1]) == 1)
            else:
                cut = text not in "()"
        else:
            continue
        if cut:
            if i > start:
                out.append((start, i, fresh))
                fresh = False
            start, numbered = i + (kind == "s" or text == "and"), False
            if kind == "s" and text in ".!?\n;":
                fresh = True
    if len(kinds) > start:
        out.append((start, len(kinds), fresh))
    return out


def _number_ahead(tokens: Tokens, i: int) -> bool:
    for j in range(i + 1, min(len(tokens.kinds), i + 15)):
        if tokens.values[j] is not None or tokens.texts[j] in MULTIPLES:
            return True
        if tokens.kinds[j] == "s" and tokens.texts[j] in ".;!?\n":
            return False
    return False


def _mention(tokens: Tokens, i: int, clause: _Clause, numbers, calculation, offset: int) -> Mention:
    kinds, texts, values = tokens.kinds, tokens.texts, tokens.values
    kind, j = _kind(tokens, i, calculation is not None)
    unit = "$" if kind == "$" else ""
    if not kind:
        unit = _unit(tokens, i, j) or _counted(tokens, clause.first, i)
        if unit == "$":
            kind = "$"
    operands, units, signs = (), (), ""
    if calculation is not None:
        left, equals, _ = calculation
        terms = [k for k in range(left, equals) if values[k] is not None]
        operands = tuple([values[k] for k in terms])
        units = tuple([_written_unit(tokens, k) for k in terms])
        signs = "".join(
            [_PLAIN_SIGN.get(texts[k], texts[k]) for k in range(left, equals)
             if (kinds[k] == "o" and texts[k] != "=" and kinds[k + 1] != "w") or texts[k] == "x"]
        )  # fmt: skip
    value = values[i]
    if calculation is not None and "-" in texts[equals + 1 : i]:
        value = -value
    clause_span = (tokens.starts[clause.first] + offset, tokens.end(clause.behind - 1) + offset)
    return Mention(
        value, kind, unit, clause.own, clause.about, clause.context, clause.plural, clause.marks,
        _rate(tokens, clause, i), clause.names, clause.somebody, clause.rated, numbers, operands, units,
        signs,        tokens.starts[i] + offset, tokens.end(i) + offset, clause_span,
    )  # fmt: skip


def _kind(tokens: Tokens, i: int, is_result: bool) -> tuple[str, int]:
    """The kind of the number at `i`, "" where its unit must tell, and the place behind it."""
    kinds, texts = tokens.kinds, tokens.texts
    j, size = i + 1, len(kinds)
    while j < size and kinds[j] == "f":
        j += 1
    after = texts[j] if j < size else ""
    if after in ("%", "percent"):
        return "%", j
    if i and kinds[i - 1] == "m":
        return "$", j
    if (
        kinds[i] == "q"
        or after in ("am", "pm", "o'clock")
        or (after == ":" and kinds[j + 1 : j + 2] == ["n"])
    ):
        return "-", j
    if i > 1 and texts[i - 1] == ":" and kinds[i - 2] == "n":
        return "-", j
    if kinds[i] == "w" and "-" in texts[i] and texts[i].rpartition("-")[2] not in NUMBERS:
        return "-", j
    if after == "-" and kinds[j + 1 : j + 2] == ["w"] and tokens.end(j) == tokens.starts[j + 1]:
        return "-", j
    if after == "times" and not is_result and not AFTER_TIMES.isdisjoint(texts[j + 1 : j + 2]):
        return "x", j
    return "", j


def _unit(tokens: Tokens, i: int, j: int) -> str:
    """The stem of the last noun of those that stand behind the number at `i`, from `j` on."""
    unit, texts = "", tokens.texts
    while j < min(len(texts), i + 6) and tokens.kinds[j] == "w":
        word = texts[j]
        if word in STOPS or word in BREAKS:
            if unit or word not in ("of", "the", "these", "those"):
                break
        elif word in MARKS:
            if unit:
                break
        else:
            one = stem(word)
            if one in NO_UNIT or (
                unit and (one in VERBS or one in MEASURED or word.endswith("ed"))
            ):
                break
            unit = one
        j += 1
    return unit


def _written_unit(tokens: Tokens, i: int) -> str:
    """Of a term of a calculation: "$", "%", or the stem of the noun behind it; "leg/spider" where it is per
    one."""
    kinds, texts = tokens.kinds, tokens.texts
    if i and kinds[i - 1] == "m":
        return "$"
    j, size = i + 1, len(kinds)
    while j < size and kinds[j] == "f":
        j += 1
    if j < size and kinds[j] == "p":
        return "%"
    unit = _unit(tokens, i, j)
    while j < size and kinds[j] == "w":
        j += 1
    if unit and j + 1 < size and texts[j] == "/" and kinds[j + 1] == "w":
        return f"{unit}/{stem(texts[j + 1])}"
    return unit


def _counted(tokens: Tokens, a: int, i: int) -> str:
    """The stem of X in "the number of X is 12", "" where nothing of the kind stands before the number."""
    texts = tokens.texts
    for k in range(a, i - 1):
        if texts[k] in ("number", "amount", "many", "total"):
            j = k + 1
            while j < i and texts[j] in ("of", "the", "number", "amount"):
                j += 1
            if j < i and tokens.kinds[j] == "w" and texts[j] not in STOPS and texts[j] not in MARKS:
                return stem(texts[j])
    return ""


def _rate(tokens: Tokens, clause: _Clause, i: int) -> frozenset | None:
    """What the number at `i` is per: "each dog", "per cup", "a day" behind it; only up to the next number."""
    kinds, texts, values, inside = tokens.kinds, tokens.texts, tokens.values, tokens.inside
    if _SAYS_RATE.isdisjoint(texts[clause.first : clause.behind]):
        return None
    found = None
    for k in range(clause.first, clause.behind):
        if k in inside:
            continue
        word, at = texts[k], k + 1
        if values[k] is not None and word != "one" and k != i:
            if k > i:
                break
            found = None
            continue
        if kinds[k] == "w":
            if word in EACH:
                pass
            elif word in ("a", "an", "one"):
                before = texts[k - 1] if k else ""
                if before == "in":
                    if word != "one" and PERIODS.isdisjoint(texts[at : at + 1]):
                        continue
                elif k < i or before in NOT_BEFORE_RATE:
                    continue
            else:
                continue
        elif not (word == "/" and k > i and kinds[at : at + 1] == ["w"]):
            continue
        found = found or set()
        if (
            at < clause.behind
            and kinds[at] == "w"
            and texts[at] not in STOPS
            and texts[at] not in MARKS
        ):
            found.add(stem(texts[at]))
    return None if found is None else frozenset(found)


def names_in(tokens: Tokens) -> frozenset:
    """Stems of the words in capitals of a question that may name a person, a place or a thing, as "A" and
    "B"."""
    out = set()
    for i in tokens.capitals:
        word = tokens.texts[i]
        if word in STOPS or word in BREAKS or word in ADVERBIAL or word in ASKS or word in MARKS:
            continue
        begins = i == 0 or (tokens.kinds[i - 1] == "s" and tokens.texts[i - 1] not in ",;:")
        if (
            not begins
            or tokens.texts.count(word) > 1
            or not AFTER_NAME.isdisjoint(tokens.texts[i + 1 : i + 2])
        ):
            out.add(stem(word))
    return frozenset(out) - CONTRASTS
