"""Which folders of a worker's disk a project may name as a model, and what people read about them."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from curation import artifacts
from curation.evaluations.services import order_evaluation
from curation.jobs import Status
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.generation.batches import note_engine
from curation.rationales.generation.orders import order_run
from curation.rationales.models import GenerationRun, ScoringRun, Slot, Teacher, TeacherPart
from curation.rationales.teachers.trial import order_try
from curation.text.machine_paths import without_paths
from curation.training.services import order_training
from tests.curation.rationales.scoring_rows import score_all
from tests.curation.training.training_rows import frozen
from tests.workers.generation.test_generation_runs import cold_afterwards, run_to_its_end  # noqa: F401
from tests.workers.training.training_tiny import sums
from workers.evaluation.tasks import evaluate
from workers.generation import tasks
from workers.generation.engine.model_files import check_model_folder
from workers.generation.types import BackendError
from workers.model_paths import DEMO, NoSuchModel, find_model
from workers.training.tasks import train

Make = Callable[..., list[Any]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's only root, with one model in it; beside it lies what is nobody's business."""
    made, outside = tmp_path / "models", tmp_path / "outside"
    for folder in (made / "mine", made / "org" / "small", outside / "theirs"):
        shutil.copytree(DEMO / "student", folder)
    (made / "linked").symlink_to(outside / "theirs")
    shutil.copytree(DEMO / "student", made / "half")
    (made / "half" / "config.json").unlink()
    (made / "half" / "config.json").symlink_to(outside / "theirs" / "config.json")
    (made / "inner").symlink_to(made / "mine")
    (made / "broken").mkdir()
    monkeypatch.setattr(settings, "MODEL_ROOTS", [str(made)])
    return made


@pytest.mark.parametrize(
    ("name", "is_called"),
    [("mine", "mine"), ("org/small", "org/small"), ("{root}/mine", "mine"), ("inner", "mine")],
)
def test_a_folder_below_a_root_is_found_by_its_name(root: Path, name: str, is_called: str) -> None:
    place = find_model(name.format(root=root), [root])
    assert (place.name, place.where) == (is_called, str(root / is_called))


FORBIDDEN = [
    "linked",
    "half",
    "../outside/theirs",
    "mine/../../outside/theirs",
    "{outside}/theirs",
    "{root}",
    ".",
    "",
    "/",
    "/etc",
    "~/models",
    "mine\0",
    "workers/demo",
    "workers/demo/models/student",
]


@pytest.mark.parametrize("hub", [False, True])
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_forbidden_is_said_like_what_is_absent(root: Path, name: str, hub: bool) -> None:
    name = name.format(root=root, outside=root.parent / "outside")
    with pytest.raises(NoSuchModel) as forbidden:
        find_model(name, [root], hub=hub)
    with pytest.raises(NoSuchModel) as absent:
        find_model("/no/such/folder", [root], hub=hub)
    assert str(forbidden.value).replace(repr(name), "NAME") == str(absent.value).replace(
        repr("/no/such/folder"), "NAME"
    )


def test_a_name_of_the_hub_stays_a_name_where_one_may_be_fetched(root: Path) -> None:
    place = find_model("Qwen/Qwen2.5-0.5B", [root], hub=True)
    assert (place.name, place.where) == ("Qwen/Qwen2.5-0.5B",) * 2
    with pytest.raises(NoSuchModel):
        find_model("Qwen/Qwen2.5-0.5B", [root])


def test_a_prefix_of_a_roots_name_is_not_below_it(root: Path, tmp_path: Path) -> None:
    shutil.copytree(DEMO / "student", tmp_path / "models-private" / "x")
    with pytest.raises(NoSuchModel):
        find_model(str(tmp_path / "models-private" / "x"), [root])


def test_the_default_root_is_the_models_folder_of_the_installation() -> None:
    assert [str(settings.HOME / "models")] == settings.MODEL_ROOTS


# --- every way in which a project names a model -----------------------------------------------


@pytest.fixture
def outside(root: Path) -> str:
    return str(root.parent / "outside" / "theirs")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_no_teacher_is_taken_from_outside(
    project: Project, admin_user: User, make_questions: Make, outside: str, backend: str
) -> None:
    make_questions(1)
    teacher = Teacher(project=project, name="t", backend=backend, model=outside)
    row = order_try(project, admin_user, teacher, "")
    tasks.try_teacher(row.pk)
    row.refresh_from_db()
    assert row.status == Status.FAILED and "There is no model" in row.error
    teacher.save()
    run = run_to_its_end(order_run(project, admin_user, teachers=[teacher], temperatures=[0.5]))
    assert "There is no model" in Slot.objects.get(run=run).error


@pytest.mark.django_db(transaction=True)
def test_a_teacher_below_a_root_writes(project: Project, admin_user: User, root: Path) -> None:
    row = order_try(project, admin_user, Teacher(project=project, name="t", model="org/small"), "")
    tasks.try_teacher(row.pk)
    row.refresh_from_db()
    assert row.status == Status.DONE, row.error


@pytest.mark.django_db(transaction=True)
def test_no_student_is_taken_from_outside(
    project: Project,
    admin_user: User,
    make_questions: Make,
    make_rationales: Make,
    outside: str,
) -> None:
    """Training, evaluation and the scorers' limit: the same words, and the rest is scored."""
    Project.objects.filter(pk=project.pk).update(student=outside)
    project.refresh_from_db()
    (question,) = make_questions(1)
    make_questions(1, split="eval")
    (rationale,) = make_rationales(question, ["right"], scored=False)
    assert "There is no model" in score_all(project).note
    rationale.refresh_from_db()
    assert rationale.score.correctness == 1.0
    dataset = frozen(project)
    with artifacts.writing(f"datasets/{project.pk}/1/dataset.jsonl") as file:
        file.write(b"{}\n")
    job = order_training(project, admin_user, dataset)
    train(job.pk)
    evaluation = order_evaluation(project, admin_user)
    evaluate(evaluation.pk)
    for work in (job, evaluation):
        work.refresh_from_db()
        assert work.status == Status.FAILED and "There is no model" in work.error


# --- what people read and take away -----------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_training_leaves_no_folder_of_this_machine_in_what_is_downloaded(
    project: Project,
    admin_user: User,
    admin_client: Client,
    make_questions: Callable[..., list[Question]],
    root: Path,
) -> None:
    Project.objects.filter(pk=project.pk).update(student=str(root / "mine"))
    project.refresh_from_db()
    rows = "".join(json.dumps(row) + "\n" for row in sums(8)).encode()
    with artifacts.writing(f"datasets/{project.pk}/1/dataset.jsonl") as file:
        file.write(rows)
    dataset = frozen(project)
    dataset.sha256 = hashlib.sha256(rows).hexdigest()
    dataset.save()
    recipe = {"max_steps": 2, "checkpoint_steps": 1, "samples_every": 0}
    job = order_training(
        project, admin_user, dataset, preset="demo", recipe=recipe, evaluate_after=False
    )
    train(job.pk)
    job.refresh_from_db()
    assert job.status == Status.DONE, job.error
    zipped = admin_client.get(reverse("training_adapter", args=[project.slug, job.pk]))
    files = zipfile.ZipFile(BytesIO(b"".join(zipped.streaming_content)))
    hidden = [str(root.parent), str(settings.HOME), str(settings.BASE_DIR), os.path.expanduser("~")]  # noqa: PTH111
    for name in files.namelist():
        content = files.read(name)
        assert not any(path.encode() in content for path in hidden), name
    (config,) = [name for name in files.namelist() if name.endswith("adapter_config.json")]
    assert json.loads(files.read(config))["base_model_name_or_path"] == "mine"
    (card,) = [name for name in files.namelist() if name.endswith("README.md")]
    assert 'base_model: "mine"' in files.read(card).decode()
    log = admin_client.get(reverse("training_log", args=[project.slug, job.pk])).content.decode()
    assert not any(path in log for path in hidden)


@pytest.mark.parametrize("spoilt", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.django_db(transaction=True)
def test_a_folder_that_cannot_be_loaded_is_named_and_not_placed(
    project: Project, admin_user: User, root: Path, spoilt: str
) -> None:
    (root / "mine" / spoilt).write_text("spoilt")
    row = order_try(project, admin_user, Teacher(project=project, name="t", model="mine"), "")
    tasks.try_teacher(row.pk)
    row.refresh_from_db()
    assert row.status == Status.FAILED and "mine" in row.error
    assert str(root) not in row.error and str(root.parent) not in row.error


def test_a_check_of_a_folder_names_it_by_its_last_part(root: Path) -> None:
    for name in ("broken", "absent"):
        with pytest.raises(BackendError, match=name) as error:
            check_model_folder(str(root / name))
        assert str(root) not in str(error.value)


def test_this_machines_folders_are_cut_from_what_workers_say(root: Path) -> None:
    home, base = settings.HOME, settings.BASE_DIR
    for said, shown in (
        (f"No file {root}/mine/config.json.", "No file …/mine/config.json."),
        (f'File "{base}/workers/app.py", line 3', 'File "…/workers/app.py", line 3'),
        (f"({home}/artifacts/training/3/out)", "(…/artifacts/training/3/out)"),
        (
            "see https://example.org/root/x and /v1/chat",
            "see https://example.org/root/x and /v1/chat",
        ),
        ("a/b/c and 3/4", "a/b/c and 3/4"),
        (f"-I{base}/include -L{home}", "-I…/include -L…"),
        (f"-isystem{base}/include", "-isystem…/include"),
        (f"PYTHONPATH=/a:{base}/workers:/b", "PYTHONPATH=/a:…/workers:/b"),
        (f"error:{home}/x is gone", "error:…/x is gone"),
        (f"\x1b[0m{base}/workers\x1b[1;31m: no", "…/workers: no"),
        (f"\x1b]0;title\x07{base}/workers", "…/workers"),
        (f"sqlite:///{home}/db and file://{home}/db", "…/db and …/db"),
        (repr(f"a\n{home}/db"), repr("a\n")[:-1] + "…/db'"),
        (f"https://example.org{base}/x a{base}/x", f"https://example.org{base}/x a{base}/x"),
        # The tests' folders lie below the folder for temporary files, which is known itself.
        (f"{root}-private/x", f"…{str(root).removeprefix(gettempdir())}-private/x"),
        (f"{base}-private/x", f"{base}-private/x"),
    ):
        assert without_paths(said) == shown, said


def test_a_log_of_a_run_is_stored_without_them(project: Project, teacher: Teacher) -> None:
    run = GenerationRun.objects.create(project=project, temperatures=[0.5])
    note_engine(run, teacher, log=f"\x1b[0m{settings.BASE_DIR}/workers -I{settings.HOME}/x")
    assert TeacherPart.objects.get().log == "…/workers -I…/x"


def test_errors_of_work_are_stored_without_them(project: Project, root: Path) -> None:
    from curation.jobs import begin, ending

    run = ScoringRun.objects.create(project=project, by_operator=True)
    mine = begin(ScoringRun, run.pk)
    with pytest.raises(OSError), ending(mine):
        raise OSError(f"cannot open {root}/mine/config.json")
    run.refresh_from_db()
    assert str(root) not in run.error and "…/mine/config.json" in run.error
