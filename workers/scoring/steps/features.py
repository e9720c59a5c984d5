"""Named features of steps and rationales, for the two probabilities `validity` and `redundancy`.

Every feature is a number that a person can check on the text. None looks at the reference answer: a
rationale may be right by luck, and validity says whether its steps hold.
"""

import re
from math import log1p

from workers.scoring.steps.facts import COMMON_NUMBERS, MAX_WORDS_FROM, RationaleFacts, StepFacts

STEP_FEATURES = (
    "wrong_equations",  # calculations that do not hold, at most 2
    "checked_equations",  # log(1 + calculations recomputed)
    "early_values",  # values used before the step that works them out, at most 2
    "contradictions",  # calculations given another result before, at most 2
    "orphan_numbers",  # new numbers that nothing explains and nothing uses later, at most 3
    "unexplained_numbers",  # new numbers that no calculation here gives, at most 4
    "operator_conflicts",  # a pair of terms that stands elsewhere with another sign, at most 2
    "underived",  # equations that share no solution with those before, at most 2
    "odd_powers",  # exponents of two digits, or of one letter, at most 2
    "overlap_previous",  # share of its terms that the step before (or the question) has
    "known_share",  # share of its terms that the question or any earlier step has
    "used_later",  # share of its terms that a later step has
    "position",  # 0 first, 1 last
    "is_last",
    "is_first",
    "length",  # log(1 + words)
    "likeness",  # largest overlap (Jaccard) with an earlier step
    "repeats",  # says exactly what an earlier step says
    "overlap_question",  # share of its words that the question has
    "new_words",  # share of its words not met before
    "has_equals",
    "is_question",
    "hedges",  # maybe, seems, I think, wonder
    "concludes",  # begins with so, therefore, thus
    "announces",  # let me, I will, we need to, first
    "remarks",  # right, that's correct, notice, recall
    "checks",  # check, verify, plug in
    "doubts",  # wait, but, however, no
    "numbers",  # log(1 + numbers)
    "no_numbers",
    "new_letters",  # unknowns met for the first time, at most 3
)

# Words that say what a step does; looked for in small letters.
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|seems?|might|i think|i wonder|guess|probably|could try|hope)\b"
)
_CONCLUDE = re.compile(r"\W*(?:so|therefore|thus|hence|which means|that means|this means|then)\b")
_ANNOUNCE = re.compile(
    r"\b(?:let me|let's|let us|i will|i'll|we'll|i need|we need|i want|we want|first,|i can|we can|now)\b",
)
_REMARK = re.compile(
    r"\b(?:right|correct|true|notice|recall|remember|know|note|of course|good|yes|okay|ok|observe)\b",
)
_CHECK = re.compile(r"\b(?:check|verif\w*|plug(?:ging)?|confirm|make sure|test)\b")
_DOUBT = re.compile(r"\b(?:wait|but|however|hmm|actually|instead|unfortunately)\b|no\b")
# Nearly every step has none of the words that these look for; a text that ends a word in "no" is asked for
# doubts.
_CUES = frozenset(
    "maybe perhaps seem seems might i guess probably could hope let let's we i'll we'll first now "
    "right correct true "
    "notice recall remember know note of good yes okay ok observe check verify verifies verified verifying "
    "verification plug plugging confirm make test".split()
)
# A sign and up to three characters on each side of it, in text without spaces and braces.
_PAIR = re.compile(r"(?<![a-z])(?=([a-z0-9.)]{1,3})([-+*/^])([a-z0-9(]{1,3}))")
_ODD_POWER = re.compile(r"\^\(?(?:\d{2,}|[a-z](?![a-z]))")
_SQUEEZE = re.compile(r"\\left|\\right|[\s${},]")
_SIGNS = (("\\cdot", "*"), ("\\times", "*"), ("×", "*"), ("\\div", "/"), ("÷", "/"), ("−", "-"))
_LETTER = re.compile(r"(?<![a-zA-Z\\'])[a-z](?![a-zA-Z'])")


def _terms(facts: StepFacts) -> frozenset:
    return facts.content | frozenset(facts.numbers)


def step_features(rationale: RationaleFacts) -> list[list[float]]:
    """Rows of features, one for each step, in the order of `STEP_FEATURES`."""
    steps = rationale.steps
    terms = [_terms(s) for s in steps]
    question = rationale.question_words | rationale.question_numbers
    last_use: dict = {}
    for i, own in enumerate(terms):
        for term in own:
            last_use[term] = i
    bare = [squeezed(facts.step.text[:4_000]) for facts in steps]
    pairs, operators = _pairs(bare)
    results: dict[str, object] = {}
    seen, letters = set(question), set()
    rows, size = [], len(steps)
    for i, facts in enumerate(steps):
        own = terms[i]
        count = len(own) or 1
        before = terms[i - 1] if i else question
        text = facts.step.text
        derived = {e.given for e in facts.equations} | {e.expected for e in facts.equations}
        unexplained = [n for n in facts.new_numbers if n not in derived and n not in COMMON_NUMBERS]
        contradicted = 0
        for equation in facts.equations:
            if results.setdefault(equation.left, equation.given) != equation.given:
                contradicted += 1
        lower = text.lower()
        cued = (  # the words are those of the beginning
            len(text) > MAX_WORDS_FROM or not _CUES.isdisjoint(facts.words) or "verif" in lower
        )
        mine = set(_LETTER.findall(lower)) - {"a", "i"}
        rows.append(
            [
                min(len(facts.wrong), 2),
                log1p(len(facts.equations)),
                min(len(facts.early), 2),
                min(contradicted, 2),
                min(sum(last_use[n] == i for n in unexplained), 3) if i < size - 1 else 0,
                min(len(unexplained), 4),
                min(sum(len(operators[key]) > 1 for key, _ in pairs[i]), 2),
                min(len(facts.underived), 2),
                min(len(_ODD_POWER.findall(bare[i])), 2),
                len(own & before) / count,
                len(own & seen) / count,
                sum(last_use[t] > i for t in own) / count,
                i / (size - 1) if size > 1 else 1.0,
                float(i == size - 1),
                float(i == 0),
                log1p(len(facts.words)),
                facts.likeness,
                float(facts.repeats >= 0),
                facts.overlap_question,
                facts.new_words,
                float("=" in text),
                float(text.rstrip().endswith("?")),
                float(cued and bool(_HEDGE.search(lower))),
                float(bool(_CONCLUDE.match(lower))),
                float(cued and bool(_ANNOUNCE.search(lower))),
                float(cued and bool(_REMARK.search(lower))),
                float(cued and bool(_CHECK.search(lower))),
                float(bool(_DOUBT.search(lower))),
                log1p(len(facts.numbers)),
                float(not facts.numbers),
                min(len(mine - letters), 3) if i else 0,
            ]
        )
        seen |= own
        letters |= mine
    return rows


def _pairs(bare: list[str]) -> tuple[list[list], dict]:
    """For each step its (pair, operator)s, and for each pair the operators it has in the rationale."""
    out, operators = [], {}
    for text in bare:
        own = []
        for a, op, b in _PAIR.findall(text):
            own.append(((a, b), op))
            operators.setdefault((a, b), set()).add(op)
        out.append(own)
    return out, operators


def squeezed(text: str) -> str:
    """A text in small letters without spaces, braces and LaTeX's own marks, its signs made plain."""
    if "\\" in text or not text.isascii():
        for sign, plain in _SIGNS:
            text = text.replace(sign, plain)
    return _SQUEEZE.sub("", text.lower())


_MEAN = ("overlap_previous", "known_share", "used_later", "likeness", "overlap_question", "new_words",
         "unexplained_numbers", "orphan_numbers", "has_equals", "length", "hedges", "concludes",
         "announces", "remarks", "checks", "doubts", "no_numbers", "new_letters", "is_question")  # fmt: skip
_MAX = ("wrong_equations", "early_values", "contradictions", "orphan_numbers", "unexplained_numbers",
        "operator_conflicts", "underived", "odd_powers", "likeness", "repeats", "new_letters",
        "length")  # fmt: skip
_MIN = ("overlap_previous", "known_share")
RATIONALE_FEATURES = (
    *(f"mean_{name}" for name in _MEAN),
    *(f"most_{name}" for name in _MAX),
    *(f"least_{name}" for name in _MIN),
    "steps",  # log(1 + steps)
    "question_numbers_used",  # share of the question's numbers that the rationale has
    "question_words_used",
    "words_from_question",  # share of the rationale's words that the question has
    "question_letters_used",  # share of the question's unknowns and names of one letter
    "most_overlap_question",  # of one step
    "unrelated",  # share of the question's numbers not used times share of its words not used
    "first_concludes",  # the first step begins with so, therefore, thus
    "checked_equations",  # log(1 + all)
    "unsupported_answer",
)
_AT = {name: i for i, name in enumerate(STEP_FEATURES)}
_MEAN_AT, _MAX_AT, _MIN_AT = ([_AT[n] for n in names] for names in (_MEAN, _MAX, _MIN))
_CONCLUDES_AT = _AT["concludes"]


def rationale_features(
    rationale: RationaleFacts, rows: list[list[float]], unsupported: bool
) -> list[float]:
    """Features of a rationale, in the order of `RATIONALE_FEATURES`.

    rows: its `step_features`; unsupported: whether the answer is a value that no step shows.
    """
    size = len(rows) or 1
    columns = list(zip(*rows, strict=True))
    inner = rows[1:] or rows
    numbers_used = share(rationale.question_numbers, rationale.numbers)
    words_used = share(rationale.question_words, rationale.words)
    return [
        *(sum(columns[i]) / size for i in _MEAN_AT),
        *(max(columns[i]) for i in _MAX_AT),
        *(min(row[i] for row in inner) for i in _MIN_AT),
        log1p(len(rows)),
        numbers_used,
        words_used,
        share(rationale.words, rationale.question_words),
        share(rationale.question_letters, rationale.letters),
        max(columns[_AT["overlap_question"]]),
        (1 - numbers_used) * (1 - words_used),
        rows[0][_CONCLUDES_AT],
        log1p(rationale.checkable),
        float(unsupported),
    ]


def share(part: frozenset, whole: frozenset) -> float:
    """How much of `part` is in `whole`, in [0, 1]; of nothing, all."""
    return len(part & whole) / len(part) if part else 1.0
