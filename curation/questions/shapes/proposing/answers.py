"""Which columns say the right answer: a choice that is named, or the answer itself."""

from typing import TYPE_CHECKING, Any

from curation.questions.shapes.choices import Choices, Tally, cut_options, letters, read_choices
from curation.questions.shapes.columns import Column, Record
from curation.questions.shapes.finals import final_answer
from curation.questions.shapes.names import known
from curation.questions.shapes.proposing.families import number_of
from curation.questions.shapes.values import answer_in

if TYPE_CHECKING:
    from curation.questions.shapes.proposing.propose import Proposal

LONG_ANSWER = 160
# Names under which an answer to an instruction stands as often as a reference.
WRITTEN = ("response", "output", "completion", "solution", "result", "value", "expected_output")


# Of these a second one says something else as often as the answer again.
VAGUE = ("label", "correct", "labels", "value", "result", "reference")


def _is_written(column: Column) -> bool:
    return (
        known("rationale", column.last) is not None
        or known("worked_solution", column.last) is not None
    )


def choices_of(record: Record, roles: dict[str, str]) -> Choices | None:
    """The choices of a flat row under these roles, those in columns of their own with the others."""
    for name, role in roles.items():
        held = record.get(name) if role == "choices" else None
        if held not in (None, "", []) and (found := read_choices(held, name)):
            return found
    texts, labels = [], []
    for name, role in roles.items():
        value = record.get(name)
        if role == "choice" and value not in (None, ""):
            texts.append(str(value).strip())
            labels.append(name)
    return Choices(tuple(texts), letters(len(texts))) if len(texts) >= 2 else None


def propose_answers(proposal: "Proposal") -> None:
    has_choices = proposal.has("choices") or proposal.has("choice")
    if has_choices:
        _right_choices(proposal)
    _scored_choices(proposal)
    _references(proposal, has_choices)


def _right_choices(proposal: "Proposal") -> None:
    rows = [(r, choices_of(r, proposal.roles)) for r in proposal.records]
    rows = [(r, c) for r, c in rows if c is not None]
    found: list[tuple[float, int, Column, Tally]] = []
    for place, column in enumerate(proposal.named("right_choice")):
        tally = Tally()
        for record, choices in rows:
            value = record.get(column.name)
            if value not in (None, "", []):
                tally.take(value, choices)
        how = tally.best(first_number(proposal))
        if how and tally.fits[how] >= 0.5 * tally.rows:
            share = tally.fits[how] / tally.rows
            # A label, text or score is proof of itself; a number could be one by chance.
            found.append((share - (0.01 if how in "01" else 0.0), -place, column, tally))
    found.sort(key=lambda one: one[:2], reverse=True)
    chosen: list[Column] = []
    for *_, column, _ in found:
        if not chosen:
            chosen.append(column)
            proposal.roles[column.name] = "right_choice"
        elif any(proposal.together(column, one) for one in chosen):
            # It says the same again (an index beside its letter).
            proposal.roles[column.name] = "metadata"
        else:
            chosen.append(column)
            proposal.roles[column.name] = "right_choice"


def _scored_choices(proposal: "Proposal") -> None:
    """Choices that come with which is right need no column for it."""
    for column in proposal.of("choices"):
        found = read_choices(column.values[0], column.name) if column.values else None
        for other in proposal.free() if found and found.scores else ():
            if known("right_choice", other.last) == 0:
                proposal.roles[other.name] = "metadata"


def first_number(proposal: "Proposal") -> int | None:
    """The number of the first choice, where choices have columns with numbers."""
    family = [c.last for c in proposal.of("choice")]
    return number_of(family[0]) if family else None


def _references(proposal: "Proposal", has_choices: bool) -> None:
    for column in proposal.named("other_answers"):
        if column.kind in ("texts", "text") and column.last != "correct_answers":
            proposal.roles[column.name] = "other_answers"
    wrong = proposal.has("wrong_choice")
    chosen: list[Column] = []
    for column in proposal.named("answer"):
        if not _could_be_reference(proposal, column):
            continue
        if column.last in WRITTEN and chosen:
            continue
        if chosen and any(proposal.together(column, one) for one in chosen):
            if column.last in ("correct_answers", "answers"):
                proposal.roles[column.name] = "other_answers"
            elif column.last not in VAGUE and not _is_written(column):
                proposal.roles[column.name] = "metadata"
            continue
        # Beside a right choice it is for the rows without choices, or names the same choice again.
        named = proposal.of("right_choice") if has_choices and not wrong else []
        if any(proposal.together(column, one) for one in named):
            continue
        chosen.append(column)
        proposal.roles[column.name] = "reference_answer"


def _could_be_reference(proposal: "Proposal", column: Column) -> bool:
    if column.name == "reference_answer":
        return True  # our own: what is wrong with it is the row's fault
    if column.kind == "objects":
        return all(answer_in(one) is not None for v in column.values[:20] for one in v)
    if column.kind in ("object", "lists") or not column.values:
        return False
    beside = proposal.has("choices") or proposal.has("choice") or proposal.has("wrong_choice")
    if column.last in ("label", "labels", "gold", "target", "gold_label") and not beside:
        # Numbers of classes whose names the file does not say are no answers.
        classes = all(isinstance(v, int) and 0 <= v < 20 for v in column.values)
        if classes and column.last != "target" and not _is_text_label(column):
            return False
    if column.last == "correct" and column.kind in ("bool", "bools"):
        return False
    if column.kind == "bools":
        return False
    if column.kind == "text" and column.median_length > LONG_ANSWER:
        return column.last in ("answer", "ground_truth", "reference_answer") or (
            _ends_with_answer(column)
            and known("rationale", column.last) is None
            and known("worked_solution", column.last) is None
        )
    if column.last in ("solution", "output", "response", "completion"):
        return column.kind in ("text", "number") and _is_short(column)
    return True


def _is_text_label(column: Column) -> bool:
    return column.kind == "text"


def _is_short(column: Column) -> bool:
    """Answers rather than texts that work towards them."""
    texts = [v for v in column.values if isinstance(v, str)]
    if not texts:
        return True
    short = [
        t
        for t in texts
        if len(t) <= 40 and "\n" not in t and len(t.split()) <= 5 and not _sentence(t)
    ]
    return len(short) >= 0.8 * len(texts)


def _sentence(text: str) -> bool:
    return (
        (text.rstrip().endswith((".", "!", "。")) and len(text.split()) >= 3)
        or "boxed" in text
        or bool(final_answer(text))
    )


def _ends_with_answer(column: Column) -> bool:
    texts = [v for v in column.values[:50] if isinstance(v, str)]
    return sum(1 for t in texts if final_answer(t)) >= 0.5 * len(texts)


def options_in_questions(records: list[Record], question: str, answers: list[str]) -> bool:
    """Do the questions' own texts end with lettered options, and the answers name one of them?"""
    seen = fits = 0
    for record in records[:200]:
        text = record.get(question)
        value: Any = next((record[a] for a in answers if record.get(a) not in (None, "")), None)
        if not isinstance(text, str):
            continue
        _, options = cut_options(text)
        if not options:
            continue
        seen += 1
        tally = Tally()
        tally.take(value, Choices(options, letters(len(options))))
        fits += bool(tally.fits["label"] or tally.fits["text"])
    return seen > 0 and fits >= 0.8 * seen
