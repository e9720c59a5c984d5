"""The look through a recipe's examples before they are frozen: its findings, and what is done about them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from curation import celery_app
from curation.datasets.choosing import candidates, choose
from curation.datasets.gates import patterns
from curation.datasets.gates.alike import Known, near_duplicates, normal
from curation.datasets.gates.lists import texts_of
from curation.datasets.models import Finding, GateRun
from curation.datasets.recipes import make_recipe
from curation.errors import Conflict, Invalid
from curation.jobs import Status, Superseded, begin, ending, finish, go_on, ordered_by, take_order
from curation.projects.models import Project, User
from curation.questions.models import Question, Split
from curation.rationales.models import READ, AnswerVerdict, Rationale

# gate -> its name on pages, and what it says
GATES = {
    "held_out": "Like a held-out question",
    "list": "Like a question of a list",
    "wrong": "Wrong answer",
    "unread": "Not graded, or no answer read",
    "same_question": "Nearly the same rationale of the question",
    "duplicate": "Nearly the same rationale of another question",
    "personal": "Personal data",
    "control": "Control tokens",
    "language": "Another language than the question",
}
BLOCKING = ("held_out", "list")
LISTED = 5_000  # findings of a gate that are listed; all are counted
PIECE = 1_000
LOPSIDED = 0.6  # a domain's share from which it is said, where there are several
SHORT = 40  # characters of a normal rationale below which "nearly the same" means nothing
MOST_HELD_OUT = 200_000


class Looked(NamedTuple):
    rationale: int
    question: int
    text: str
    reasoning: str
    asked: str
    domain: str
    verdict: str | None
    is_scored: bool


def order_gates(
    project: Project,
    user: User | None,
    *,
    order_key: str | None = None,
    enqueue: bool = True,
    **how: Any,
) -> GateRun:
    """Have the examples of a recipe (see `make_recipe`) looked through by a worker. Raises Invalid, and
    Conflict where the recipe has no candidate."""
    recipe = make_recipe(project, user, **how)
    if not candidates(project, recipe).exists():
        raise Conflict(
            "The recipe chooses nothing yet: approve some rationales, or ask for others."
        )
    with transaction.atomic():
        if earlier := take_order(GateRun, project, user, order_key):
            return earlier
        run = GateRun.objects.create(
            project=project, recipe=recipe, order_key=order_key, **ordered_by(user)
        )
        if enqueue:
            celery_app.send(celery_app.RUN_GATES, run.pk)
    return run


def run_gates(run_id: int) -> GateRun | None:
    """Choose the examples and look through them. Does nothing where another worker has it."""
    run = begin(GateRun, run_id)
    if run is None:
        return None
    with ending(run):
        try:
            _look(run)
        except Superseded:
            return None
    run.refresh_from_db()
    return run


def _look(run: GateRun) -> None:
    picked, funnel = choose(run.project, run.recipe)
    ids = [pk for pk, *_ in picked.rows(0, len(picked))]
    with transaction.atomic():
        go_on(
            run, funnel=funnel.to_json(), examples=len(ids), chosen_hash=picked.chosen_hash, done=0
        )
        run.findings.all().delete()
    found = _Findings(run)
    domains: Counter[str] = Counter()
    questions: dict[int, int] = {}  # question -> an example of it
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    for start in range(0, len(ids), PIECE):
        go_on(run, done=start)
        for one in _read(ids[start : start + PIECE]):
            domains[one.domain] += 1
            questions.setdefault(one.question, one.rationale)
            found.extend(_single(one))
            plain = normal(one.text)
            if len(plain) >= SHORT:
                texts.append(plain)
                places.append((one.rationale, one.question))
        found.save()
    for first, later, like in near_duplicates(texts):
        (other, other_question), (pk, question) = places[first], places[later]
        gate = "same_question" if question == other_question else "duplicate"
        detail = f"{like:.0%} of its character runs are those of rationale {other}"
        found.add(Finding(gate=gate, rationale_id=pk, other_rationale_id=other, detail=detail))
    texts.clear()
    go_on(run, done=len(ids))
    found.extend(_leaks(run, questions))
    found.save()
    finish(
        run, Status.DONE, counts=dict(found.counts), done=len(ids), notes=_notes(domains, len(ids))
    )


def _read(ids: list[int]) -> Iterator[Looked]:
    """In the order of `ids`: which of two that are alike is the earlier one must not depend on chance."""
    rows = Rationale.all_objects.filter(pk__in=ids).values_list(
        *("pk", "question_id", "text", "reasoning", "question__text", "question__domain"),
        *("score__verdict", "score__rationale_id"),
    )
    known = {row[0]: Looked(*row[:7], row[7] is not None) for row in rows}
    return (known[pk] for pk in ids)


def _single(one: Looked) -> Iterator[Finding]:
    """What an example shows by itself."""

    def finding(gate: str, detail: str) -> Finding:
        return Finding(gate=gate, rationale_id=one.rationale, detail=detail[:400])

    if one.verdict not in READ:
        why = (
            "no answer was read, or none is known to compare with"
            if one.is_scored
            else "not scored"
        )
        yield finding("unread", why)
    elif one.verdict == AnswerVerdict.WRONG:
        yield finding("wrong", "its answer is not the reference answer")
    whole = f"{one.reasoning}\n{one.text}" if one.reasoning else one.text
    if hit := patterns.personal(whole) or patterns.personal(one.asked):
        yield finding("personal", hit)
    inner = one.text.removeprefix("<think>").replace("</think>", "", 1)
    if token := patterns.control_token(inner) or patterns.control_token(one.asked):
        yield finding("control", f"the text {token}")
    if other := patterns.other_language(one.asked, one.text):
        yield finding("language", other)


def _leaks(run: GateRun, questions: dict[int, int]) -> Iterator[Finding]:
    """Training questions that are like held-out ones, each by one of its examples; leaving one out leaves
    out all of its question, see `left_out`."""
    held_out = list(
        Question.objects.filter(project=run.project)
        .exclude(split=Split.TRAIN)
        .order_by("pk")
        .values_list("pk", "text", "split")[:MOST_HELD_OUT]
    )
    known = Known([text for _, text, _ in held_out])
    lists = [(one, Known(texts_of(one))) for one in run.project.held_out_lists.all()]
    asked = sorted(questions)
    for start in range(0, len(asked), PIECE):
        go_on(run)
        rows = list(
            Question.all_objects.filter(pk__in=asked[start : start + PIECE])
            .order_by("pk")
            .values_list("pk", "text")
        )
        texts = [text for _, text in rows]
        for hit in known.hits(texts):
            pk, _, split = held_out[hit.other]
            yield Finding(gate="held_out", rationale_id=questions[rows[hit.place][0]], other_question_id=pk,
                          detail=f"{_words(hit.kind, hit.share)}: question {pk} of {split}")  # fmt: skip
        for one, brought in lists:
            for hit in brought.hits(texts):
                where = f"line {hit.other + 1} of {one.name}"
                yield Finding(gate="list", rationale_id=questions[rows[hit.place][0]],
                              detail=f"{_words(hit.kind, hit.share)}: {where}"[:400])  # fmt: skip


def _words(kind: str, share: float) -> str:
    if kind == "exact":
        return "the same words"
    if kind == "renumbered":
        return "the same words with other numbers"
    return f"{share:.0%} of the character runs are the same"


def _notes(domains: Counter[str], examples: int) -> list[str]:
    told = []
    for domain, count in domains.most_common(1):
        if len(domains) > 1 and count > LOPSIDED * examples:
            told.append(
                f"{count / examples:.0%} of the examples are of the domain {domain or 'without a name'}: "
                "balance them, or say so in the card."
            )
    return told


class _Findings:
    """Counts all findings, writes the first LISTED of each gate."""

    def __init__(self, run: GateRun) -> None:
        self.run, self.counts, self._new = run, Counter(), []

    def add(self, finding: Finding) -> None:
        self.counts[finding.gate] += 1
        # What blocks must be seen before it is let through: all of it is listed.
        if self.counts[finding.gate] <= LISTED or finding.gate in BLOCKING:
            finding.run = self.run
            self._new.append(finding)
        if len(self._new) >= PIECE:
            self.save()

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    def save(self) -> None:
        with transaction.atomic():
            go_on(self.run)
            Finding.objects.bulk_create(self._new)
        self._new = []


def act(
    run: GateRun,
    user: User | None,
    action: str,
    *,
    ids: Iterable[int] = (),
    gate: str = "",
    reason: str = "",
) -> int:
    """Leave out or keep these findings, or all of a gate that nobody acted on; returns how many. Keeping
    takes a reason; for what is like a held-out question that is the admin's signature. An empty `action`
    takes back. Raises Invalid, and Conflict where the look has not ended."""
    if run.status != Status.DONE:
        raise Conflict(f"The look is {run.status}: wait for its end.")
    if action not in ("", *Finding.Action.values):
        raise Invalid(f"{action!r} is nothing to do: choose leave_out or keep.")
    reason = " ".join(reason.split())[:300]
    if action == Finding.Action.KEEP and not reason:
        raise Invalid("Keeping takes a reason: say why this may be trained on.")
    rows = (
        run.findings.filter(pk__in=list(ids)) if ids else run.findings.filter(gate=gate, action="")
    )
    if not ids and gate not in GATES:
        raise Invalid(f"{gate!r} is no gate: choose one of {', '.join(GATES)}.")
    return rows.update(
        action=action, reason=reason if action else "", acted_by=user if action else None,
        acted_at=timezone.now() if action else None,
    )  # fmt: skip


def open_blocks(run: GateRun) -> QuerySet[Finding]:
    """Findings that stop the freezing until they are left out or signed."""
    return run.findings.filter(gate__in=BLOCKING, action="")


def left_out(run: GateRun) -> list[int]:
    """The rationales that people left out; of a question that is like a held-out one, all of them."""
    out = run.findings.filter(action=Finding.Action.LEAVE_OUT)
    ids = set(out.exclude(gate__in=BLOCKING).values_list("rationale_id", flat=True))
    questions = out.filter(gate__in=BLOCKING).values("rationale__question")
    ids.update(Rationale.objects.filter(question__in=questions).values_list("pk", flat=True))
    return sorted(ids)


def passed(run: GateRun) -> dict[str, Any]:
    """For the card and the manifest: what was found, left out and kept, by whom and why."""
    acted = run.findings.exclude(action="").order_by()
    rows = acted.values_list("gate", "action", "acted_by__username", "reason").annotate(
        n=Count("pk")
    )
    return {
        "found": run.counts,
        "acted": [
            {
                "gate": gate,
                "action": action,
                "by": who or "a command",
                "reason": reason,
                "findings": n,
            }
            for gate, action, who, reason, n in sorted(rows, key=str)
        ],
        "notes": run.notes,
    }


def recipe_through(project: Project, run_id: int) -> tuple[GateRun, dict[str, Any]]:
    """The run and its recipe without what was left out. Raises Conflict while something blocks."""
    run = GateRun.objects.filter(project=project, pk=run_id).first()
    if run is None:
        raise Invalid(f"There is no look {run_id} in this project.")
    if run.status != Status.DONE:
        raise Conflict(f"The look is {run.status}: wait for its end.")
    if blocks := open_blocks(run).count():
        raise Conflict(
            f"{blocks:,} questions are like held-out ones: leave them out, or an admin keeps them "
            "with a reason."
        )
    return run, {**run.recipe, "left_out": left_out(run)}
