"""A key of an order is a person's own within a project: it blocks, tells and changes nothing elsewhere."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.test import Client
from django.urls import reverse

from curation.datasets.models import DatasetVersion
from curation.evaluations.models import Evaluation
from curation.jobs import Job, Status
from curation.projects.models import Project, User
from curation.projects.services import add_member, create_project
from curation.questions.models import Deletion, Question, QuestionImport
from curation.rationales.models import GenerationRun, Rationale, Slot, Teacher
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import BulkAction
from curation.training.models import TrainingJob
from tests.conftest import person, signed_in
from tests.curation.api.api_calls import ROOT, no_brake, token  # noqa: F401 (a fixture)
from tests.curation.training.training_rows import frozen, training

LINE = b'{"question": "How many?", "reference_answer": "3"}\n'
# Three of a kind that a project takes beside each other, so that only the key can stand in their way.
BULK = [("approve", "right"), ("approve", "wrong"), ("approve", "right")]
Order = Callable[[Client, str, str, int], Any]


def page(name: str, slug: str, *more: Any) -> str:
    return reverse(name, args=[slug, *more])


def api(client: Client, slug: str, path: str, body: dict[str, Any]) -> Any:
    place = f"{ROOT}/projects/{slug}/{path}"
    return client.post(place, json.dumps(body), content_type="application/json")


def cut_off(slug: str) -> GenerationRun:
    return GenerationRun.objects.get(project__slug=slug, redo_of=None, created_by=None)


def question(slug: str, n: int) -> Question:
    return Question.objects.filter(project__slug=slug, split="train").order_by("id")[n]


def newest(model: type[models.Model]) -> int:
    return model.objects.latest("pk").pk


def by_page(kind: str, client: Client, slug: str, key: str, n: int) -> Any:
    own = {"order_key": key}
    teacher = Teacher.objects.get(project__slug=slug)
    decide, answer = BULK[n]
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        "import": ("import_new", {"file": io.BytesIO(LINE), "split": "train"}),
        "run": (
            "run_new",
            {"which": "train", "temperatures": "0.5", "samples": 1, "seed": n, "prompt_style": "",
             "teachers": [teacher.pk]},
        ),
        "bulk action": ("bulk_new", {"kind": decide, "answer": answer, "newest": newest(Rationale)}),
        "deletion": (
            "deletion_new",
            {"kind": "questions", "q": f"#{question(slug, n).pk}", "newest": newest(Question)},
        ),
        "dataset": ("dataset_freeze", {"selection": "approved", "seed": n}),
        "training": ("training_new", {"dataset": n + 1, "preset": "demo"}),
        "one click": ("export_and_train", {}),
        "evaluation": ("evaluation_new", {"splits": ["eval"], "job": "", "compared": []}),
    }  # fmt: skip
    if kind == "cut off":
        run = cut_off(slug)
        return client.post(page("run_cut_off", slug, run.pk), {"max_tokens": 2000 + n, **own})
    name, fields = forms[kind]
    return client.post(page(name, slug), fields | own)


def by_api(kind: str, client: Client, slug: str, key: str, n: int) -> Any:
    own = {"order_key": key}
    if kind == "import":
        place = f"{ROOT}/projects/{slug}/imports"
        file = io.BytesIO(LINE)
        file.name = "a.jsonl"
        return client.post(place, {"file": file, **own})
    decide, answer = BULK[n]
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "questions": ("questions", {"questions": [{"question": "How many?"}]}),
        "run": ("runs", {"teachers": ["strong"], "temperatures": [0.5], "seed": n}),
        "bulk action": (
            "bulk-actions",
            {"kind": decide, "filters": {"answer": answer}, "newest": newest(Rationale)},
        ),
        "deletion": (
            "deletions",
            {"kind": "questions", "of_questions": {"q": f"#{question(slug, n).pk}"},
             "newest": newest(Question)},
        ),
        "dataset": ("datasets", {"seed": n}),
        "training": ("trainings", {"dataset": n + 1, "preset": "demo"}),
        "one click": ("export-and-train", {"preset": "demo"}),
        "evaluation": ("evaluations", {"splits": ["eval"]}),
    }  # fmt: skip
    if kind == "cut off":
        path = f"runs/{cut_off(slug).pk}/cut-off"
        return api(client, slug, path, {"max_tokens": 2000 + n, **own})
    path, body = bodies[kind]
    return api(client, slug, path, body | own)


MODELS = {
    "import": QuestionImport,
    "questions": QuestionImport,
    "run": GenerationRun,
    "cut off": GenerationRun,
    "bulk action": BulkAction,
    "deletion": Deletion,
    "dataset": DatasetVersion,
    "training": TrainingJob,
    "one click": TrainingJob,
    "evaluation": Evaluation,
}
KINDS = [(by_page, kind) for kind in MODELS if kind != "questions"]
KINDS += [(by_api, kind) for kind in MODELS]


@pytest.fixture
def bea(project: Project) -> User:
    made = person("bea")
    add_member(project, "bea", "admin")
    return made


@pytest.fixture
def two_projects(
    project: Project, admin_user: User, bea: User, make_questions: Any, make_rationales: Any
) -> None:
    geese = create_project(
        admin_user, "Geese", "geese", use_embeddings=False, student="demo:student"
    )
    add_member(geese, "bea", "admin")
    for one in (project, geese):
        for made in make_questions(3, to=one):
            make_rationales(made, ["right", "wrong"])
        make_questions(1, "eval", to=one)
        for number in (1, 2, 3):
            training(one, frozen(one, number), points=0, preset="small")
        teacher = Teacher.objects.get(project=one)
        run = GenerationRun.objects.create(project=one, temperatures=[0.5], max_tokens=20)
        run.teachers.add(teacher)
        rationale = Rationale.objects.filter(project=one).first()
        Rationale.objects.filter(pk=rationale.pk).update(finish_reason="length")
        Slot.objects.create(
            run=run, question=rationale.question, teacher=teacher, temperature=0.5, sample=0,
            rationale=rationale, status="filled",
        )  # fmt: skip


@pytest.mark.parametrize(("door", "kind"), KINDS, ids=lambda one: getattr(one, "__name__", one))
def test_the_same_key_of_another_person_or_project_is_another_order(
    door: Callable[..., Any], kind: str, two_projects: None, admin_user: User, bea: User
) -> None:
    if kind in ("dataset", "one click"):
        for one in Project.objects.all():
            apply_rule(one)
    model = MODELS[kind]

    def client_of(user: User) -> Client:
        if door is by_page:
            return signed_in(user)
        return Client(headers={"authorization": f"Bearer {token(user)}"})

    def order(user: User, slug: str, n: int) -> Job:
        before = set(model.objects.values_list("pk", flat=True))
        answer = door(kind, client_of(user), slug, "k", n)
        assert answer.status_code in (201, 202, 302), answer.content.decode()[-3000:]
        made = model.objects.exclude(pk__in=before)
        return made.get() if made.exists() else None

    first = order(admin_user, "eggs", 0)
    assert (first.created_by, first.project.slug) == (admin_user, "eggs")
    assert order(admin_user, "eggs", 0) is None  # a double click
    if kind == "one click":  # one training of a dataset at a time
        model.objects.update(status=Status.DONE)
    hers = order(bea, "eggs", 1)
    assert (hers.created_by, hers.project.slug) == (bea, "eggs")
    elsewhere = order(admin_user, "geese", 2)
    assert (elsewhere.created_by, elsewhere.project.slug) == (admin_user, "geese")
    first.refresh_from_db()
    assert first.order_key == hers.order_key == elsewhere.order_key == "k"


@pytest.mark.parametrize(
    "model", [one for one in apps.get_models() if issubclass(one, Job)], ids=lambda m: m.__name__
)
def test_the_database_keeps_a_key_to_one_order(model: type[Job]) -> None:
    names = [one for one in model._meta.constraints if "order_key" in getattr(one, "fields", ())]
    assert [one.fields for one in names] == [("project", "created_by", "order_key")]
    assert not model._meta.get_field("order_key").unique


def test_the_same_key_twice_is_refused_by_the_database(project: Project, admin_user: User) -> None:
    own = {"project": project, "created_by": admin_user, "order_key": "k", "options": {}}
    Evaluation.objects.create(**own)
    with pytest.raises(IntegrityError), transaction.atomic():
        Evaluation.objects.create(**own)


def test_what_a_person_has_under_way_is_bounded_on_page_and_api(
    two_projects: None, admin_user: User, bea: User, settings: Any
) -> None:
    settings.ORDERS_UNDER_WAY = 2
    Evaluation.objects.create(project=Project.objects.get(slug="geese"), created_by=admin_user)
    ada = signed_in(admin_user)
    assert by_page("evaluation", ada, "eggs", "a", 0).status_code == 302
    refused = by_page("evaluation", ada, "eggs", "b", 0)
    assert refused.status_code == 400
    assert "You have 2 evaluations under way" in refused.content.decode()
    script = Client(headers={"authorization": f"Bearer {token(admin_user)}"})
    refused = by_api("evaluation", script, "eggs", "c", 0)
    assert refused.status_code == 409 and "You have 2" in refused.json()["detail"]
    settings.ORDERS_UNDER_WAY = 1
    refused = by_page("evaluation", ada, "eggs", "e", 0).content.decode()
    assert "You have 1 evaluation under way" in refused and "wait for it to end" in refused
    settings.ORDERS_UNDER_WAY = 2
    # What was ordered is found again; others are not in the way; what has ended is not counted.
    assert by_page("evaluation", ada, "eggs", "a", 0).status_code == 302
    assert by_page("evaluation", signed_in(bea), "eggs", "a", 0).status_code == 302
    Evaluation.objects.update(status=Status.CANCELLED)
    assert by_page("evaluation", ada, "eggs", "d", 0).status_code == 302


RESUMABLE = {
    "run": (GenerationRun, "runs", {"temperatures": [0.5]}),
    "evaluation": (Evaluation, "evaluations", {}),
    "training": (TrainingJob, "trainings", {}),
    "bulk": (BulkAction, "bulk-actions", {"kind": "approve", "filters": {}, "until": 1}),
    "deletion": (Deletion, "deletions", {"kind": "questions", "filters": {}, "until": 1}),
}


@pytest.mark.parametrize("kind", RESUMABLE)
def test_cancelling_and_resuming_is_no_way_around_it(
    kind: str, project: Project, admin_user: User, admin_client: Client, settings: Any
) -> None:
    settings.ORDERS_UNDER_WAY = 1
    model, path, fields = RESUMABLE[kind]
    own = {"project": project, "created_by": admin_user, **fields}
    if kind == "training":
        own |= {"dataset": frozen(project), "base_model": "demo:student", "preset": "demo"}
    ended = model.objects.create(**own, status=Status.CANCELLED)
    if kind == "training":
        own |= {"dataset": frozen(project, 2)}
    other = model.objects.create(**own, status=Status.WAITING)
    script = Client(headers={"authorization": f"Bearer {token(admin_user)}"})
    refused = api(script, project.slug, f"{path}/{ended.pk}/resume", {})
    assert refused.status_code == 409 and "Who ordered this has 1" in refused.json()["detail"]
    answer = admin_client.post(page(f"{kind}_resume", project.slug, ended.pk))
    assert answer.status_code == 409
    ended.refresh_from_db()
    assert ended.status == Status.CANCELLED
    model.objects.filter(pk=other.pk).update(status=Status.DONE)
    assert api(script, project.slug, f"{path}/{ended.pk}/resume", {}).status_code == 200
    ended.refresh_from_db()
    assert ended.status == Status.WAITING


def test_trying_failures_again_counts_as_well(
    project: Project, make_questions: Any, teacher: Teacher, admin_user: User,
    admin_client: Client, settings: Any,
) -> None:  # fmt: skip
    settings.ORDERS_UNDER_WAY = 1
    own = {"project": project, "created_by": admin_user, "temperatures": [0.5]}
    run = GenerationRun.objects.create(**own, status=Status.DONE)
    (one,) = make_questions(1)
    Slot.objects.create(
        run=run, question=one, teacher=teacher, temperature=0.5, sample=0, status="failed"
    )
    other = GenerationRun.objects.create(**own, status=Status.RUNNING)
    assert admin_client.post(page("run_retry", project.slug, run.pk)).status_code == 409
    assert Slot.objects.get().status == "failed"
    GenerationRun.objects.filter(pk=other.pk).update(status=Status.DONE)
    assert admin_client.post(page("run_retry", project.slug, run.pk)).status_code == 302
