"""A project in which everything that somebody may not know carries a mark of its own.

Three people review each question, nobody knows the teachers, and the reference is shown on asking.
Rudi has said something wherever `RUDI_SAID`, Nina nowhere; what people said carries marks.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils import timezone

from curation.api.core.tokens import make_token
from curation.datasets.models import GateRun, HeldOutList
from curation.datasets.services import freeze, order_freeze
from curation.evaluations.models import Answer, Evaluation
from curation.projects.models import Project, User
from curation.projects.saved_views import save_view
from curation.projects.services import add_member, create_project, remove_member
from curation.questions.correcting.changing import change_question
from curation.questions.models import Question, QuestionImport
from curation.rationales.models import (
    GenerationRun,
    Judge,
    MeaningSearch,
    Rationale,
    Slot,
    Teacher,
    TeacherPart,
    TeacherTry,
    TextCheck,
)
from curation.rationales.scoring.scores import mark_stale
from curation.reviews.adjudication.adjudicate import adjudicate, flag_question
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.deletion.orders import delete_one
from curation.reviews.deletion.runner import run_deletion
from curation.reviews.models import BulkAction
from curation.reviews.queue.claims import claim, next_item, release, skip
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from curation.webhooks.services import add_hook, send_test
from tests.conftest import person, score_now
from tests.curation.reviews.reviewing import review, status
from tests.curation.training.training_rows import report, training

Make = Callable[..., list[Any]]
OPEN, WAIT, DISPUTE, SETTLED, ADJUDICATED, CONTROL = STATES = (
    *("open", "wait", "dispute", "settled", "adjudicated", "control"),
)
RUDI_SAID = {WAIT, DISPUTE, SETTLED, ADJUDICATED, CONTROL}
ARE_SETTLED = {SETTLED, ADJUDICATED}
OVERLAP = 3
MADE = re.compile("zq[a-z]+q[0-9]+z")


class Mark(NamedTuple):
    """A piece of text that stands nowhere else. `asked`: a word before it in the same text, to search
    for: a page repeats what was asked, so only the mark itself tells that the text was found."""

    kind: str
    text: str
    state: str = ""
    author: str = ""
    asked: str = ""


@dataclass
class World:
    project: Project
    people: dict[str, User] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def mark(self, kind: str, state: str = "", author: str = "") -> str:
        """A new mark; the text to plant."""
        words = re.sub(r"[^a-z]", "", f"{kind}{state}{author}".casefold())
        made = Mark(kind, f"zq{words}q{len(self.marks)}z", state, author, f"find{words}")
        self.marks.append(made)
        return made.text

    def words(self, kind: str, state: str = "", author: str = "") -> str:
        """Two words, the second a new mark."""
        self.mark(kind, state, author)
        return f"{self.marks[-1].asked} {self.marks[-1].text}"

    def marks_in(self, told: str) -> list[Mark]:
        """Those that stand in what somebody was shown."""
        made = set(MADE.findall(told))
        return [
            m for m in self.marks if (m.text in made if MADE.fullmatch(m.text) else m.text in told)
        ]

    def found(self, kind: str, texts: Iterable[str]) -> None:
        """What is a mark as it is."""
        self.marks += [Mark(kind, text) for text in texts]

    def somebody(self, kind: str, state: str) -> User:
        """A reviewer of whom it is a secret that they said anything."""
        name = self.mark(kind, state)
        self.marks[-1] = self.marks[-1]._replace(author=name)
        made = self.people[name] = person(name)
        add_member(self.project, name, "reviewer")
        return made


def rationales_of(question: Question) -> list[Rationale]:
    return [one for one in to_review(question.queue_item) if one.source != "person"]


def says_on(world: World, state: str, who: User, question: Question) -> list[ReviewInput]:
    """Every kind of word that a person can say: a rejection with a comment, an edit, a rationale of
    one's own."""
    first, second = rationales_of(question)[:2]
    author = who.username
    comment = world.words("comment", state, author)
    return [
        ReviewInput(first.pk, "edit", edited_text=text(world, "edit", state, author)),
        ReviewInput(second.pk, "reject", ["other"], comment=comment),
        ReviewInput(None, "approve", edited_text=text(world, "own rationale", state, author)),
    ]


def text(world: World, kind: str, state: str, author: str) -> str:
    return f"She counts {world.words(kind, state, author)} and has 3.\nAnswer: 3"


def made_world(project: Project, admin: User, rudi: User, make_questions: Make) -> World:
    world = World(project, {"ada": admin, "rudi": rudi})
    world.people["nina"] = person("nina")
    world.people["fred"] = person("fred")
    add_member(project, "nina", "reviewer")
    add_member(project, "fred", "reviewer")
    _hook(world)
    teacher = _teacher(world)
    fillers = _questions(world, teacher, make_questions, 3, "filler")
    _control(world, teacher, make_questions)
    for state in (OPEN, WAIT, DISPUTE, SETTLED, ADJUDICATED):
        (world.questions[state],) = _questions(world, teacher, make_questions, 1, state)
    change_question(project, admin, world.questions[OPEN].pk, {"difficulty": "changed"})
    _reviews(world)
    _around(world, teacher, fillers)
    _secrets(world)
    remove_member(project, world.people["fred"].pk)
    Project.objects.filter(pk=project.pk).update(
        is_blind=True, hides_reference=True, control_percent=50
    )
    project.refresh_from_db()
    return world


def _teacher(world: World) -> Teacher:
    host = f"https://{world.mark('address of a model')}.example.org/v1"
    made = Teacher.objects.create(
        project=world.project,
        name=world.mark("teacher"),
        model=world.mark("teacher"),
        backend="openai",
        base_url=host,
        api_key_env=f"{world.mark('name of a key').upper()}_API_KEY",
    )
    world.marks[-1] = world.marks[-1]._replace(text=made.api_key_env)
    return made


def _questions(
    world: World, teacher: Teacher, make: Make, count: int, state: str
) -> list[Question]:
    made = []
    for _ in range(count):
        # Nobody answers right, so that the reference stands in no rationale.
        reference = str(7_350_000 + len(world.marks))
        (question,) = make(1, reference_answer=reference)
        world.marks.append(Mark("reference", reference, state))
        for sample in range(2):
            words = f"She has {sample + 5} eggs, says number {question.pk}.\nAnswer: {sample + 5}"
            Rationale.objects.create(
                project=world.project, question=question, source="teacher", teacher=teacher,
                text=words, text_hash=f"{question.pk}-{sample}", temperature=0.5, sample=sample,
                reasoning=world.words("thought", state), finish_reason="stop", completion_tokens=20,
            )  # fmt: skip
        made.append(question)
    mark_stale(world.project, [one.pk for one in made])
    score_now(world.project)
    return made


def _control(world: World, teacher: Teacher, make: Make) -> None:
    """A control whose known verdicts are one person's words, and which Rudi and another one met."""
    (question,) = _questions(world, teacher, make, 1, CONTROL)
    knows, met = world.somebody("who knew a control", CONTROL), world.somebody("reviewer", CONTROL)
    first, second = rationales_of(question)
    comment = world.words("comment", CONTROL, knows.username)
    seat = claim(world.project, knows, question)
    submit(
        world.project, knows, seat.item_id,
        [ReviewInput(first.pk, "approve"), ReviewInput(second.pk, "reject", ["other"], comment)],
    )  # fmt: skip
    make_control(world.project, world.people["ada"], question, world.mark("note of a control"))
    world.questions[CONTROL] = question
    set_overlap(world.project, OVERLAP)
    Project.objects.filter(pk=world.project.pk).update(control_percent=50)
    world.project.refresh_from_db()
    for who in (world.people["rudi"], met):
        while (seat := next_item(world.project, who)).item.question_id != question.pk:
            review(world.project, who, seat.item.question, "approve", "approve")
        says = [ReviewInput(one.pk, "approve") for one in rationales_of(question)]
        if who is met:
            comment = world.words("comment", CONTROL, who.username)
            says[0] = ReviewInput(says[0].rationale_id, "reject", ["other"], comment)
        submit(world.project, who, seat.item_id, says)


def _reviews(world: World) -> None:
    project, rudi = world.project, world.people["rudi"]
    asked = world.questions
    taken_back = world.somebody("reviewer", OPEN)
    _say(world, OPEN, taken_back)
    undo(project, taken_back)
    release(project, taken_back)
    for state in (OPEN, WAIT, DISPUTE):
        _say(world, state, world.somebody("reviewer", state))
    _say(world, DISPUTE, world.somebody("reviewer", DISPUTE))
    for state in (WAIT, DISPUTE):
        _say(world, state, rudi)
    review(project, rudi, asked[SETTLED], "reject", "reject")
    for _ in range(2):
        who = world.somebody("reviewer", SETTLED)
        seat = claim(project, who, asked[SETTLED])
        says = [
            ReviewInput(one.pk, "reject", ["other"], world.words("comment", SETTLED, who.username))
            for one in rationales_of(asked[SETTLED])
        ]
        submit(project, who, seat.item_id, says)
    review(project, rudi, asked[ADJUDICATED], "approve", "approve")
    for _ in range(2):
        _say(world, ADJUDICATED, world.somebody("reviewer", ADJUDICATED))
    item = asked[ADJUDICATED].queue_item
    edits = Rationale.objects.filter(question=asked[ADJUDICATED], source="person")
    last = world.words("comment", ADJUDICATED, "ada")
    says = [ReviewInput(one.pk, "approve", comment=last) for one in edits.filter(parent=None)]
    says.append(ReviewInput(edits.filter(parent__isnull=False).first().pk, "approve"))
    says.append(ReviewInput(rationales_of(asked[ADJUDICATED])[1].pk, "reject", ["unclear"]))
    adjudicate(project, world.people["ada"], item.pk, says)
    states = {state: status(question) for state, question in asked.items()}
    assert states == {
        **dict.fromkeys((OPEN, WAIT), "waiting"), DISPUTE: "adjudicate", CONTROL: "control",
        **dict.fromkeys(ARE_SETTLED, "done"),
    }  # fmt: skip


def _say(world: World, state: str, who: User) -> None:
    question = world.questions[state]
    seat = claim(world.project, who, question)
    submit(world.project, who, seat.item_id, says_on(world, state, who, question))
    if state == OPEN:
        flag_question(
            world.project, who, question, "other", world.words("flag", state, who.username)
        )


def _around(world: World, teacher: Teacher, fillers: list[Question]) -> None:
    """The other rows that pages and operations name: runs, datasets, trainings, searches and so on."""
    project, ada = world.project, world.people["ada"]
    skipper = world.somebody("who passed", OPEN)
    seat = claim(project, skipper, world.questions[OPEN])
    skip(seat.item_id, skipper, world.mark("why somebody passed", OPEN, skipper.username))
    name = teacher.name
    run = GenerationRun.objects.create(
        project=project, temperatures=[0.5], samples=1, status="failed", slot_count=1,
        error=world.mark("why a run failed"),
    )  # fmt: skip
    run.teachers.add(teacher)
    TeacherPart.objects.create(run=run, teacher=teacher, rationales=1, log=f"{name} started")
    Slot.objects.create(
        run=run, question=fillers[0], teacher=teacher, temperature=0.5, sample=9, status="failed"
    )
    TeacherTry.objects.create(
        project=project, settings={"name": name}, question="How many?", created_by=ada,
        answer=world.mark("trial of a teacher"), status="done",
    )  # fmt: skip
    Judge.objects.create(
        project=project, name="second look", model=world.mark("model of the judge"),
        base_url=f"https://{world.mark('address of a model')}.example.org/v1",
    )  # fmt: skip
    freeze(order_freeze(project, ada, enqueue=False).pk)
    order = order_freeze(project, ada, selection="unfiltered", teachers=[name], enqueue=False)
    version = freeze(order.pk)  # its card names the teacher
    GateRun.objects.create(project=project, recipe={"teachers": [name]}, status="done")
    HeldOutList.objects.create(project=project, name=world.mark("held-out list"), count=0)
    job = training(project, version, points=1)
    found = report(f"training {job.pk} (approved)")
    told = _renamed(found, name)
    evaluation = Evaluation.objects.create(
        project=project, job=job, status="done", report=told, verdict=told["verdict"]
    )
    Answer.objects.create(
        evaluation=evaluation, model=name, question=fillers[0], text=f"{name} says 3."
    )
    QuestionImport.objects.create(project=project, file_name="rows.jsonl", status="done")
    BulkAction.objects.create(
        project=project, kind="approve", filters={"teacher": str(teacher.pk)}, until=1,
        status="done", created_by=ada, comment=world.mark("comment of a bulk action"),
    )  # fmt: skip
    gone = delete_one(project, ada, "rationales", _gone(world, fillers[2]).pk)
    run_deletion(gone.pk)
    hits = [[pk, 0.9] for pk in Rationale.objects.values_list("pk", flat=True)]
    for who in (world.people[one] for one in ("ada", "rudi", "nina", "fred")):
        words = world.mark("search", author=who.username)
        for kind, known in (("rationale", hits), ("rationale", None), ("question", None)):
            MeaningSearch.objects.create(
                project=project, user=who, text=words, kind=kind, hits=known,
                answered_at=known and timezone.now(),
            )  # fmt: skip
        TextCheck.objects.create(
            project=project, user=who, question=fillers[0],
            text=world.mark("text that is being written", author=who.username),
        )  # fmt: skip
        own = world.mark("own view", author=who.username)
        shared = world.mark("shared view", author=who.username)
        save_view(project, who, "rationales", own, {"answer": "wrong"}, False)
        save_view(project, who, "rationales", shared, {"answer": "right"}, True)


def _gone(world: World, question: Question) -> Rationale:
    words = f"She has {world.words('deleted text', 'filler')}.\nAnswer: 5"
    return Rationale.objects.create(
        project=world.project, question=question, source="teacher", text=words,
        teacher=Teacher.objects.get(project=world.project), text_hash="gone", sample=9,
    )  # fmt: skip


def _renamed(found: Any, name: str) -> Any:
    """A report in which the teacher “strong” has another name."""
    if isinstance(found, dict):
        return {_renamed(key, name): _renamed(value, name) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_renamed(one, name) for one in found]
    return found.replace("strong", name) if isinstance(found, str) else found


def _hook(world: World) -> None:
    """A webhook that hears of everything."""
    url = f"https://{world.mark('address of a webhook')}.example.org/"
    hook = add_hook(world.project, world.people["ada"], url)
    send_test(hook)
    world.found("secret of a webhook", [hook.secret, hook.nonce])
    world.project.refresh_from_db()


def _secrets(world: World) -> None:
    """A token and a password of everybody, and a project of somebody else."""
    sam = world.people["sam"] = person("sam", may_create_projects=True)
    create_project(sam, world.mark("another project", author="sam"), "elsewhere")
    for name in ("ada", "rudi", "nina", "fred", "sam"):
        told = world.mark("name of a token", author=name)
        made, world.tokens[name] = make_token(world.people[name], told, scope="admin", days=9)
        world.found("secret of a token", [world.tokens[name], made.sha256])
    world.found("secret of a password", [one.password for one in User.objects.all()])
