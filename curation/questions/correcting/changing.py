"""A question is corrected: the new values, what was there before, and what follows from the change.

Everything that changes a question comes through here: its page, the API, an import that takes over better
data, and the undo of each. What hangs on the old values lies right of this app (scores, decisions by rule,
the review queue): `FOLLOWS` is called in the same transaction, see `curation.reviews.queue.changed`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.correcting.sameness import content_hash, text_key
from curation.questions.models import AnswerType, Question, QuestionChange, QuestionImport, Split
from curation.questions.shapes.types import ANSWER_TYPES
from curation.text.clean import clean, clean_line
from curation.text.storable import must_be_storable

MAX_TEXT = 200_000
TYPES = ["", *ANSWER_TYPES]
MAX_OTHER_ANSWERS = 50
MAX_CHOICES = 200
LINES = {"external_id": 200, "domain": 100, "difficulty": 40, "subset": 60}
FIELDS = {
    "text": "question",
    "choices": "choices",
    "reference_answer": "reference answer",
    "other_answers": "other right answers",
    "answer_type": "answer type",
    "worked_solution": "worked solution",
    "domain": "domain",
    "difficulty": "difficulty",
    "split": "split",
    "subset": "subset",
    "external_id": "id in its file",
}
# What a rationale is graded by, and what a reviewer reads: scores and decisions by rule hang on these.
GRADED_BY = ("text", "choices", "reference_answer", "other_answers", "answer_type")
SHOWN = (*GRADED_BY, "worked_solution")


@dataclass
class Follows:
    """What the apps right of this one do around a change. `lock` is called with the questions' ids before
    their rows are locked, `then` with the changes, once they are written."""

    lock: Callable[[list[int]], None]
    then: Callable[[Project, Sequence[QuestionChange]], None]


FOLLOWS: list[Follows] = []


def values_of(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in FIELDS}


def version_of(question: Question) -> int:
    """The id of the last change, 0 where there was none: whoever sends it back changes what they saw."""
    last = question.changes.order_by("-id").values_list("pk", flat=True).first()
    return last or 0


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are stored. Raises Invalid for what cannot be one."""
    must_be_storable(values)
    if unknown := set(values) - set(FIELDS):
        raise Invalid(f"A question has no {', '.join(sorted(unknown))} that can be changed.")
    made = dict(values)
    for name in ("text", "worked_solution"):
        if name in made:
            made[name] = clean(made[name] or "")
            if len(made[name]) > MAX_TEXT:
                raise Invalid(f"The {FIELDS[name]} has more than {MAX_TEXT:,} characters.")
    if not made.get("text", "-"):
        raise Invalid("The question is empty.")
    if "reference_answer" in made:
        made["reference_answer"] = clean(made["reference_answer"] or "") or None
    for name, most in LINES.items():
        if name in made:
            made[name] = clean_line(made[name] or "")
            if len(made[name]) > most:
                raise Invalid(f"The {FIELDS[name]} has more than {most} characters.")
    for name, most in (("other_answers", MAX_OTHER_ANSWERS), ("choices", MAX_CHOICES)):
        if name in made:
            made[name] = [kept for one in made[name] or [] if (kept := clean(one))]
            if len(made[name]) > most:
                raise Invalid(f"A question has at most {most} {FIELDS[name]}.")
    if "other_answers" in made:
        made["other_answers"] = list(dict.fromkeys(made["other_answers"]))
    for name, known in (("answer_type", TYPES), ("split", Split.values)):
        if made.get(name, known[0]) not in known:
            raise Invalid(f"{made[name]!r} is no {FIELDS[name]}: choose one of {', '.join(known)}.")
    return made


def difference(question: Question, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values (as `checked` gives them) that are not the question's own, compared as stored:
    what came in before texts were cleaned differs by more than its spelling, or not at all."""
    return {
        name: value for name, value in values.items() if value != _cleaned(getattr(question, name))
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [kept for one in value if (kept := clean(one))]
    return clean(value) if isinstance(value, str) else value


def change_question(
    project: Project,
    user: User | None,
    question_id: int,
    values: Mapping[str, Any],
    *,
    version: int | None = None,
) -> QuestionChange | None:
    """Give a question new values for some of its `FIELDS`; None where they are what it has.

    version: that of the question which the person saw (`version_of`); None: whatever it is by now.
    Raises Invalid for values that cannot be, Conflict where somebody changed it since, or another question
    has this text and these choices, or this id.
    """
    with transaction.atomic():
        changes, refused = change_questions(
            project, user, {question_id: checked(values)}, versions={question_id: version}
        )
    if refused:
        raise Conflict(refused[question_id])
    return changes[0] if changes else None


def change_questions(
    project: Project,
    user: User | None,
    wanted: Mapping[int, Mapping[str, Any]],
    *,
    job: QuestionImport | None = None,
    versions: Mapping[int, int | None] | None = None,
    undoes: Mapping[int, QuestionChange] | None = None,
) -> tuple[list[QuestionChange], dict[int, str]]:
    """Change several questions, by id, to values that were `checked`; returns the changes, and by id why
    a question could not be changed. Called in a transaction."""
    ids = sorted(wanted)
    for follows in FOLLOWS:
        follows.lock(ids)
    rows = Question.objects.select_for_update(no_key=True, of=("self",)).order_by("pk")
    found = {one.pk: one for one in rows.filter(project=project, pk__in=ids)}
    refused = {
        pk: "The question is not (any more) in this project." for pk in ids if pk not in found
    }
    made: list[QuestionChange] = []
    for pk, question in found.items():
        new = difference(question, wanted[pk])
        if not new:
            continue
        if why := _refusal(question, new, (versions or {}).get(pk)):
            refused[pk] = why
            continue
        change = QuestionChange(
            question=question,
            before={name: getattr(question, name) for name in new},
            after=new,
            user=user,
            job=job,
            undoes=(undoes or {}).get(pk),
        )
        try:
            with transaction.atomic():
                _write(question, new)
        except IntegrityError:
            refused[pk] = "Another question of this project has this text and these choices."
            continue
        made.append(change)
    QuestionChange.objects.bulk_create(made)
    if made:
        for follows in FOLLOWS:
            follows.then(project, made)
    return made, refused


def _refusal(question: Question, new: Mapping[str, Any], version: int | None) -> str:
    if version is not None and version != version_of(question):
        last = question.changes.select_related("user").order_by("-id").first()
        who = last.user if last is not None and last.user_id else "Somebody"
        return (
            f"{who} changed this question since you opened it: compare, and send yours again where it is "
            "still right. What you typed is kept."
        )
    others = Question.objects.filter(project_id=question.project_id).exclude(pk=question.pk)
    if new.get("external_id"):
        other = others.filter(external_id=new["external_id"]).values_list("pk", flat=True).first()
        if other:
            return f"Question #{other} has the id {new['external_id']!r} already: ids stand once."
    after = {**values_of(question), **new}
    if after["answer_type"] == AnswerType.CHOICE and not after["choices"]:
        return "The answer type is choice, and there are no choices."
    if {"text", "choices"} & set(new):
        same = others.filter(content_hash=content_hash(after["text"], after["choices"]))
        if other := same.values_list("pk", flat=True).first():
            return f"Question #{other} has this text and these choices already."
    return ""


def _write(question: Question, new: Mapping[str, Any]) -> None:
    for name, value in new.items():
        setattr(question, name, value)
    touched = list(new)
    if {"text", "choices"} & set(new):
        question.content_hash = content_hash(question.text, question.choices)
        question.text_key = text_key(question.text)
        touched += ["content_hash", "text_key"]
    if set(GRADED_BY) & set(new):
        question.reference_problem = None if question.reference_answer else ""
        touched.append("reference_problem")
    question.save(update_fields=touched)


def undo_change(project: Project, user: User | None, change_id: int) -> QuestionChange:
    """Give the question back what a change took from it. Raises Conflict where it was undone already, or
    one of its values was changed again since."""
    with transaction.atomic():
        change = (
            QuestionChange.objects.for_project(project)
            .select_for_update(no_key=True, of=("self",))
            .select_related("question")
            .filter(pk=change_id)
            .first()
        )
        if change is None:
            raise Conflict("There is no such change of a question in this project.")
        if QuestionChange.objects.filter(undoes=change).exists():
            raise Conflict("This change was undone already.")
        now = difference(change.question, change.after)
        if now:
            names = ", ".join(FIELDS[name] for name in now)
            raise Conflict(f"What it changed was changed again since ({names}): edit the question.")
        made, refused = change_questions(
            project,
            user,
            {change.question_id: change.before},
            undoes={change.question_id: change},
        )
    if refused:
        raise Conflict(refused[change.question_id])
    if not made:
        raise Conflict("There is nothing to undo: the question has these values.")
    return made[0]


def values_then(questions: Iterable[int], until: int) -> dict[int, dict[str, Any]]:
    """Of the questions that were changed after the change `until`: the values that they had then, of the
    fields that were changed, and the content hash where it was another."""
    later = QuestionChange.objects.filter(pk__gt=until).order_by("-id")
    if not later.exists():
        return {}
    then: dict[int, dict[str, Any]] = {}
    for change in later.filter(question__in=list(questions)).select_related("question"):
        known = then.setdefault(change.question_id, {})
        known |= change.before
        if {"text", "choices"} & set(known):
            text = known.get("text", change.question.text)
            known["content_hash"] = content_hash(
                text, known.get("choices", change.question.choices)
            )
    return then


def as_they_stood(questions: Iterable[Question], until: int) -> None:
    """Give these questions, in memory alone, the values that they had when `until` was the newest change:
    what was frozen then says the same for ever."""
    questions = list(questions)
    then = values_then({one.pk for one in questions}, until)
    for question in questions:
        for name, value in then.get(question.pk, {}).items():
            setattr(question, name, value)
