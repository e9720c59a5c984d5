"""Trainings by page: the list, an order, one as it stands, its log, its adapter."""

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation import artifacts
from curation.projects.models import Project
from curation.training.curves import MAX_POINTS, curves
from curation.training.models import TrainingJob
from curation.training.selectors import plain
from tests.curation.training.training_rows import frozen, training

READS = ("training_detail", "training_log", "evaluation_of_training")
WRITES = ("training_cancel", "training_resume")


def at(name: str, *pk: int, project: str = "eggs") -> str:
    return reverse(name, args=[project, *pk])


@pytest.fixture(autouse=True)
def no_files() -> None:
    """The rows go after each test, and their numbers come again: so must the files go."""
    artifacts.remove("training")


@pytest.fixture
def job(project: Project) -> TrainingJob:
    return training(project, frozen(project))


def write(path: str, data: bytes) -> None:
    with artifacts.writing(path) as file:
        file.write(data)


def order(dataset: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "preset": "demo",
        "evaluate_after": "on",
        "order_key": "k1",
    } | fields


def test_a_stranger_finds_nothing(job: TrainingJob, stranger_client: Client) -> None:
    for name in (*READS, "training_adapter"):
        assert stranger_client.get(at(name, job.pk)).status_code == 404
        assert stranger_client.get(at(name, job.pk, project="elsewhere")).status_code == 404
    for name in WRITES:
        assert stranger_client.post(at(name, job.pk)).status_code == 404
    for name in ("trainings", "training_new"):
        assert stranger_client.get(at(name)).status_code == 404
    assert stranger_client.post(at("export_and_train")).status_code == 404


def test_a_reviewer_looks_but_does_not_order_end_or_take_away(
    job: TrainingJob, reviewer_client: Client, wake_ups: Any
) -> None:
    for name in READS:
        assert reviewer_client.get(at(name, job.pk)).status_code == 200
    assert reviewer_client.get(at("training_adapter", job.pk)).status_code == 403
    for url in (at("training_new"), at("export_and_train"), *(at(n, job.pk) for n in WRITES)):
        assert reviewer_client.post(url, order()).status_code == 403
    assert TrainingJob.objects.count() == 1 and wake_ups("gpu") == 0


def test_what_changes_something_takes_post_alone(job: TrainingJob, admin_client: Client) -> None:
    for url in (at("export_and_train"), *(at(name, job.pk) for name in WRITES)):
        assert admin_client.get(url).status_code == 405


def test_an_empty_project_says_what_to_do(project: Project, admin_client: Client) -> None:
    assert "No student has been trained yet" in admin_client.get(at("trainings")).content.decode()
    page = admin_client.get(at("training_new")).content.decode()
    assert "There is no dataset to train on" in page
    Project.objects.update(student="")
    assert "names no student" in admin_client.get(at("training_new")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_an_order_sent_twice_makes_one_training(
    project: Project, admin_client: Client, wake_ups: Any
) -> None:
    frozen(project)
    answers = [admin_client.post(at("training_new"), order(epochs="2.5")) for _ in range(2)]
    job = TrainingJob.objects.get()
    assert [answer.headers["Location"] for answer in answers] == [at("training_detail", job.pk)] * 2
    assert (job.recipe, job.preset, job.evaluate_after) == (
        {"epochs": 2.5, "max_steps": 0},
        "demo",
        True,
    )
    assert wake_ups("gpu") == 1


def test_an_order_that_cannot_be_is_refused_on_the_form(
    project: Project, admin_client: Client
) -> None:
    frozen(project)
    for bad in ({"dataset": 7}, {"preset": "rm -rf"}, {"epochs": "nan"}, {"learning_rate": "2"}):
        answer = admin_client.post(at("training_new"), order(**bad))
        assert answer.status_code == 400 and "errorlist" in answer.content.decode()
    assert not TrainingJob.objects.exists()


def test_a_second_training_of_the_same_is_told_in_place(
    project: Project, admin_client: Client
) -> None:
    training(project, frozen(project), status="running")
    answer = admin_client.post(at("training_new"), order())
    assert answer.status_code == 400 and "being trained on already" in answer.content.decode()


def test_the_page_shows_checks_curve_and_the_first_example(
    job: TrainingJob, admin_client: Client, make_questions: Any
) -> None:
    (asked,) = make_questions(1, split="eval")
    says = [{"prompt": asked.text, "text": "1 + 2 = 3\nAnswer: 3", "tokens": 9, "ended": True}]
    TrainingJob.objects.update(says=says, step=500, total_steps=1000)
    page = admin_client.get(at("training_detail", job.pk)).content.decode()
    assert "First example ends with the end token" in page and "116,736 (18.1%)" in page
    assert "<mark>Answer: 3&lt;|end|&gt;</mark>" in page
    assert '<mark class="fits">Answer: 3</mark>' in page
    assert 'class="line training"' in page and "held out" in page


def test_what_a_model_wrote_is_text(job: TrainingJob, admin_client: Client) -> None:
    bad = "<script>alert(1)</script>"
    checks = job.checks | {"first_example": [{"text": bad, "trained": True}]}
    says = [{"prompt": bad, "text": bad, "tokens": 3, "ended": False}]
    TrainingJob.objects.update(checks=checks, says=says, error=bad)
    write(f"{job.folder}/train.log", f"\x1b[31m{bad}\x1b[0m\n".encode())
    for name in READS:
        assert "<script>alert" not in admin_client.get(at(name, job.pk)).content.decode()


def test_a_running_training_asks_again_and_an_ended_one_does_not(
    job: TrainingJob, admin_client: Client
) -> None:
    poll = 'hx-trigger="every 2s"'
    headers = {"HX-Request": "true"}
    ended = admin_client.get(at("training_detail", job.pk), headers=headers).content.decode()
    TrainingJob.objects.update(status="running")
    running = admin_client.get(at("training_detail", job.pk), headers=headers).content.decode()
    assert poll not in ended and poll in running and "<html" not in running
    assert poll in admin_client.get(at("trainings")).content.decode()


def test_the_curve_has_few_points_and_two_named_ends() -> None:
    points = [(step, 2 - step / 20_000) for step in range(20_000)]
    drawn = curves(points, [(0, 1.8), (15_000, float("nan")), (19_999, 1.1)], 20_000)
    assert drawn is not None
    assert [line.name for line in drawn.lines] == ["training", "held out"]
    assert all(line.path.count("L") < MAX_POINTS for line in drawn.lines)
    assert "nan" not in drawn.lines[1].path
    low, high = sorted(line.label_y for line in drawn.lines)
    assert high - low >= 16
    assert curves([], [], 10) is None


def test_the_log_is_the_end_of_the_file_without_terminal_codes(
    job: TrainingJob, admin_client: Client
) -> None:
    assert "There is no log yet" in admin_client.get(at("training_log", job.pk)).content.decode()
    lines = "".join(f"line {n:06}\n" for n in range(20_000))
    write(f"{job.folder}/train.log", f"{lines}\x1b[1;31mlast\x1b[0m\x00\n".encode())
    page = admin_client.get(at("training_log", job.pk)).content.decode()
    assert "line 000000" not in page and "line 019999" in page
    assert "\x1b" not in page and "[1;31m" not in page
    assert len(page) < 80_000


def test_a_line_that_overwrote_itself_shows_its_end() -> None:
    assert plain("10%\r50%\r100%\nnext\x1b]0;title\x07\u202e") == "100%\nnext"


def test_a_log_is_not_found_by_a_path_of_the_request(
    job: TrainingJob, admin_client: Client
) -> None:
    write("training/secret.log", b"secret")
    for query in ({"path": "../secret.log"}, {"file": "secret.log"}):
        page = admin_client.get(at("training_log", job.pk), query).content.decode()
        assert "secret" not in page.replace("secret.log", "")


def test_the_adapter_comes_as_an_attachment_with_its_files_alone(
    job: TrainingJob, admin_client: Client
) -> None:
    assert admin_client.get(at("training_adapter", job.pk)).status_code == 404
    folder = f"{job.folder}/out/adapter"
    weights = bytes(range(256)) * 4000
    write(f"{folder}/adapter_model.safetensors", weights)
    write(f"{folder}/adapter_config.json", b"{}")
    write(f"{folder}/optimizer.pt", b"pickle")
    write(f"{job.folder}/out/run.json", b"{}")
    (artifacts.local_folder(folder) / "link.json").symlink_to("/etc/passwd")
    answer = admin_client.get(at("training_adapter", job.pk))
    disposition = answer.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="eggs-training-{job.pk}.zip"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.namelist() == ["adapter_config.json", "adapter_model.safetensors"]
        assert archive.read("adapter_model.safetensors") == weights


def test_a_training_is_cancelled_and_goes_on(job: TrainingJob, admin_client: Client) -> None:
    assert admin_client.post(at("training_cancel", job.pk)).status_code == 409
    TrainingJob.objects.update(status="running")
    admin_client.post(at("training_cancel", job.pk))
    assert TrainingJob.objects.get().status == "cancelled"
    admin_client.post(at("training_resume", job.pk))
    assert TrainingJob.objects.get().status == "waiting"


def test_a_failed_training_says_why(job: TrainingJob, admin_client: Client) -> None:
    TrainingJob.objects.update(status="failed", error="No room on the disk.")
    page = admin_client.get(at("training_detail", job.pk)).content.decode()
    assert "It failed." in page and "No room on the disk." in page and "Go on" in page


def test_pages_ask_the_data_base_a_bounded_number_of_times(
    project: Project, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    jobs = [training(project, frozen(project, number), points=0) for number in range(1, 60)]
    with django_assert_max_num_queries(8):
        first = admin_client.get(at("trainings")).content.decode()
    assert f"Training {jobs[-1].pk}<" in first and f"Training {jobs[0].pk}<" not in first
    with django_assert_max_num_queries(8):
        admin_client.get(at("training_detail", jobs[0].pk))
    assert admin_client.get(at("trainings"), {"job__project": 1}).status_code == 400
