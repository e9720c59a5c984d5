"""Evaluations by page: the list, an order, the report, the answers behind it."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.evaluations.models import Answer, Evaluation
from curation.evaluations.reports import arranged, differences, targets
from curation.projects.models import Project
from curation.training.models import TrainingJob
from tests.curation.training.training_rows import frozen, report, training

READS = ("evaluation_detail", "evaluation_answers")
WRITES = ("evaluation_cancel", "evaluation_resume")
ORDER = {"compared": [], "splits": ["eval", "ood"], "limit": "", "order_key": "k1"}


def at(name: str, *pk: int, project: str = "eggs") -> str:
    return reverse(name, args=[project, *pk])


@pytest.fixture
def job(project: Project) -> TrainingJob:
    return training(project, frozen(project))


@pytest.fixture
def student(job: TrainingJob) -> str:
    return f"training {job.pk} (approved)"


@pytest.fixture
def evaluation(job: TrainingJob, student: str, make_questions: Any) -> Evaluation:
    found = report(student)
    made = Evaluation.objects.create(
        project=job.project, job=job, status="done", report=found, verdict=found["verdict"]
    )
    asked = make_questions(45, split="eval") + make_questions(3, split="ood", subset="floor")
    Answer.objects.bulk_create(
        Answer(
            evaluation=made,
            model=model,
            question=question,
            text=f"{model} says <b>{n}</b>",
            answer="7",
            right=(True, False, None)[n % 3],
            validity=0.9,
        )
        for model in ("base student", student, "strong")
        for n, question in enumerate(asked)
    )
    return made


def text_of(client: Client, url: str, **query: Any) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stranger_finds_nothing(evaluation: Evaluation, stranger_client: Client) -> None:
    for name in READS:
        assert stranger_client.get(at(name, evaluation.pk)).status_code == 404
        assert stranger_client.get(at(name, evaluation.pk, project="elsewhere")).status_code == 404
    for name in WRITES:
        assert stranger_client.post(at(name, evaluation.pk)).status_code == 404
    for name in ("evaluations", "evaluation_new"):
        assert stranger_client.get(at(name)).status_code == 404


def test_a_reviewer_looks_but_orders_and_ends_nothing(
    evaluation: Evaluation, reviewer_client: Client, wake_ups: Any
) -> None:
    assert reviewer_client.get(at("evaluations")).status_code == 200
    for name in READS:
        assert reviewer_client.get(at(name, evaluation.pk)).status_code == 200
    for url in (at("evaluation_new"), *(at(name, evaluation.pk) for name in WRITES)):
        assert reviewer_client.post(url, ORDER).status_code == 403
    assert Evaluation.objects.count() == 1 and wake_ups("gpu") == 0


def test_the_report_says_its_verdict_first_and_every_sentence_of_it(
    evaluation: Evaluation, student: str, admin_client: Client
) -> None:
    page = text_of(admin_client, at("evaluation_detail", evaluation.pk))
    assert page.index("of 500 questions right") < page.index("Pairs of models")
    tiles = [one for one in targets(evaluation.report) if one.model == student]
    rest = [line for line in evaluation.verdict if not line.startswith("Next: ")]
    lead, other = arranged(rest, tiles)
    assert len(lead) == 3 and len(lead) + len(other) + len(tiles) == len(rest)
    for words in ("missed by the estimate", "cannot be judged", "≥ 79.2%", "46.8–54.8"):
        assert words in page
    assert "Floor: kinds and sizes never seen" in page and "Next: " in page


def test_the_control_stands_beside_the_student(
    evaluation: Evaluation, student: str, admin_client: Client
) -> None:
    """What the first words alone bring, without training, with its interval and its share of the gain."""
    url = at("evaluation_detail", evaluation.pk)
    assert "the first words alone" not in text_of(admin_client, url)
    found, name = json.loads(json.dumps(evaluation.report)), "base student, first words only"
    control = json.loads(json.dumps(found["models"][0])) | {"name": name, "role": "control"}
    control["groups"][0]["accuracy"] = {"value": 0.4125, "low": 0.3625, "high": 0.4625, "n": 500}
    found["models"].insert(1, control)
    found["pairs"].append(
        {
            "a": name, "b": student, "split": "eval", "subset": "", "only_a": 10, "only_b": 58,
            "difference": {"value": -0.0955, "low": -0.13, "high": -0.06, "n": 500},
            "p_value": 1e-6,
        }
    )  # fmt: skip
    gain = {"value": 0.7915, "low": 0.7, "high": 0.88, "n": 500}
    found["controls"] = [
        {
            "student": student,
            "base": "base student",
            "control": name,
            "begin": "Step 1:",
            "gain": gain,
        }
    ]
    Evaluation.objects.filter(pk=evaluation.pk).update(report=found)
    page = text_of(admin_client, url)
    card = page[page.index("the first words alone") : page.index("Right answers by part")]
    for words in ("Step 1:", "41.3%", "36.3–46.3", "79.2%", "70.0–88.0", "+9.6", "+6.0 to +13.0"):
        assert words in card, words
    assert '<span class="label">control</span>' in page
    api = admin_client.get(f"/api/v1/projects/eggs/evaluations/{evaluation.pk}").json()
    assert api["report"]["controls"][0]["gain"] == gain


def test_a_demonstration_says_so(evaluation: Evaluation, admin_client: Client) -> None:
    url = at("evaluation_detail", evaluation.pk)
    assert "demonstration" not in text_of(admin_client, url)
    Project.objects.update(is_demo=True)
    assert "The models here are demonstrations" in text_of(admin_client, url)


def test_pairs_tell_the_gain_of_the_student(evaluation: Evaluation, student: str) -> None:
    (title, (gain,)), (_, (floor,)) = differences(evaluation.report)
    assert title == "Held-out questions"
    assert (gain.a, gain.b, gain.cell.text) == (student, "base student", "+45.8")
    assert gain.cell.interval == "+41.0 to +50.0"
    assert (gain.only_a, gain.only_b, gain.apart, gain.p) == (239, 11, True, "< 0.001")
    assert not floor.apart


def test_approved_and_unfiltered_rationales_stand_side_by_side(
    evaluation: Evaluation, admin_client: Client
) -> None:
    share = {"value": 0.45, "low": 0.4, "high": 0.5, "n": 500}
    row = {"teacher": "wordy", "approved": share, "unfiltered": share, "difference": share,
           "p_value": 0.01, "apart": True, "sentence": "wordy: Approved rationales taught more."}  # fmt: skip
    evaluation.report["curation"] = [row]
    evaluation.save()
    page = text_of(admin_client, at("evaluation_detail", evaluation.pk))
    assert "wordy: Approved rationales taught more." in page and 'data-plot="curation"' in page


def test_answers_are_filtered_and_come_in_pages(
    evaluation: Evaluation, student: str, admin_client: Client
) -> None:
    url = at("evaluation_answers", evaluation.pk)
    counts = {
        right: text_of(admin_client, url, model=student, right=right, part="eval:").count("<li>")
        for right in ("right", "wrong", "not_read", "all")
    }
    assert counts == {"right": 15, "wrong": 15, "not_read": 15, "all": 20}
    assert (
        text_of(admin_client, url, model=student, right="all", part="ood:floor").count("<li>") == 3
    )
    after = Answer.objects.filter(model=student).order_by("pk")[19].pk
    second = text_of(admin_client, url, model=student, right="all", after=after)
    assert second.count("<li>") == 20 and "says &lt;b&gt;20&lt;/b&gt;" in second


@pytest.mark.parametrize(
    "query",
    [{"model": "x"}, {"part": "train:"}, {"right": "maybe"}, {"after": "1 or 1"}, {"kind": "\0"}],
)
def test_a_filter_that_is_not_offered_is_refused(
    evaluation: Evaluation, admin_client: Client, query: dict[str, str]
) -> None:
    assert admin_client.get(at("evaluation_answers", evaluation.pk), query).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_an_order_sent_twice_makes_one_evaluation(
    job: TrainingJob, make_questions: Any, admin_client: Client, wake_ups: Any
) -> None:
    make_questions(2, split="eval")
    other = training(job.project, frozen(job.project, 2))
    given = ORDER | {"job": job.pk, "compared": [job.pk, other.pk], "limit": "100"}
    answers = [admin_client.post(at("evaluation_new"), given) for _ in range(2)]
    made = Evaluation.objects.get()
    assert {answer.headers["Location"] for answer in answers} == {at("evaluation_detail", made.pk)}
    assert made.job == job and list(made.compared_jobs.all()) == [other]
    assert made.options["limit"] == 100 and wake_ups("gpu") == 1


def test_an_order_that_cannot_be_is_refused_on_the_form(
    job: TrainingJob, make_questions: Any, admin_client: Client
) -> None:
    running = training(job.project, frozen(job.project, 2), status="running")
    make_questions(1, split="eval")
    for bad in ({"job": running.pk}, {"splits": ["train"]}, {"limit": "0"}, {"compared": ["x"]}):
        answer = admin_client.post(at("evaluation_new"), ORDER | bad)
        assert answer.status_code == 400 and "errorlist" in answer.content.decode()
    assert not Evaluation.objects.exists()


def test_without_held_out_questions_the_order_says_what_to_do(
    job: TrainingJob, admin_client: Client
) -> None:
    assert "No question is held out" in text_of(admin_client, at("evaluation_new"))


def test_an_empty_list_says_how_an_evaluation_comes_about(
    project: Project, admin_client: Client
) -> None:
    assert "Nothing has been measured yet" in text_of(admin_client, at("evaluations"))


def test_while_it_runs_the_page_asks_again_and_then_turns_into_the_report(
    evaluation: Evaluation, admin_client: Client
) -> None:
    url, headers = at("evaluation_detail", evaluation.pk), {"HX-Request": "true"}
    Evaluation.objects.update(status="running", done=210, total=400, stage="strong answers")
    running = admin_client.get(url, headers=headers).content.decode()
    assert "210 of 400 answers" in running and 'hx-trigger="every 2s"' in running
    Evaluation.objects.update(status="done")
    assert admin_client.get(url, headers=headers).headers["HX-Refresh"] == "true"


def test_a_failed_evaluation_says_why_and_goes_on(
    evaluation: Evaluation, admin_client: Client
) -> None:
    Evaluation.objects.update(status="failed", error="The adapter is not there.", report={})
    page = text_of(admin_client, at("evaluation_detail", evaluation.pk))
    assert "The adapter is not there." in page and "Go on" in page
    admin_client.post(at("evaluation_resume", evaluation.pk))
    assert Evaluation.objects.get().status == "waiting"
    admin_client.post(at("evaluation_cancel", evaluation.pk))
    assert Evaluation.objects.get().status == "cancelled"


def test_a_training_shows_how_its_student_did(
    evaluation: Evaluation, student: str, job: TrainingJob, admin_client: Client
) -> None:
    own = text_of(admin_client, at("evaluation_of_training", job.pk))
    assert student in own and "50.8%" in own and "hx-trigger" not in own
    newer = training(job.project, frozen(job.project, 2), status="running")
    before = text_of(admin_client, at("evaluation_of_training", newer.pk))
    assert "measured as soon as it is trained" in before and 'hx-trigger="every 4s"' in before
    assert "88.0%" in before and student not in before


def test_pages_ask_the_data_base_a_bounded_number_of_times(
    evaluation: Evaluation, admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):
        admin_client.get(at("evaluation_detail", evaluation.pk))
    Evaluation.objects.bulk_create(
        Evaluation(project=evaluation.project, job=evaluation.job, report=evaluation.report)
        for _ in range(60)
    )
    with django_assert_max_num_queries(7):
        admin_client.get(at("evaluations"))
    assert admin_client.get(at("evaluations"), {"report__x": 1}).status_code == 400


def test_blind_reviewers_read_how_often_teachers_are_right_and_nothing_they_wrote(
    evaluation: Evaluation, student: str, reviewer_client: Client, admin_client: Client
) -> None:
    Project.objects.update(is_blind=True)
    detail, answers = (at(name, evaluation.pk) for name in READS)
    page = reviewer_client.get(detail)
    assert "People review blind here" in page.content.decode()
    assert "strong" not in page.context["models"] and student in page.context["models"]
    rows = {row.name: row for row in page.context["primary"].rows}
    right, *form = rows["strong"].cells
    assert right.text != "–" and {cell.text for cell in form} == {"–"}
    assert rows["strong"].tokens is None
    assert rows[student].cells[1].text != "–"
    assert reviewer_client.get(answers, {"model": "strong"}).status_code == 400
    assert "strong says" in text_of(admin_client, answers, model="strong")
    assert "base student says" in text_of(reviewer_client, answers, model="base student")
    whole = admin_client.get(detail).context["primary"].rows
    assert next(row for row in whole if row.name == "strong").cells[1].text != "–"
    of = reviewer_client.get(at("evaluation_of_training", evaluation.job_id)).context["primary"]
    assert next(row for row in of.rows if row.name == "strong").cells[1].text == "–"


def test_blind_reviewers_get_as_little_through_the_api(
    evaluation: Evaluation, reviewer_client: Client, admin_client: Client
) -> None:
    Project.objects.update(is_blind=True)
    one = f"/api/v1/projects/eggs/evaluations/{evaluation.pk}"
    report = reviewer_client.get(one).json()["report"]
    strong = next(model for model in report["models"] if model["name"] == "strong")
    for group in strong["groups"]:
        assert group["accuracy"]["value"] is not None
        assert group["validity"]["value"] is None and group["mean_tokens"] is None
    told = reviewer_client.get(f"{one}/answers", {"limit": 200}).json()["items"]
    assert told and not [row for row in told if row["model"] == "strong"]
    assert reviewer_client.get(f"{one}/answers", {"model": "strong"}).status_code == 403
    assert admin_client.get(f"{one}/answers", {"model": "strong"}).json()["items"]
    evaluation.refresh_from_db()
    assert admin_client.get(one).json()["report"] == evaluation.report
