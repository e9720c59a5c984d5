"""A script reads lists to their end, and orders imports, runs, datasets, trainings and evaluations."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from curation.datasets.services import freeze
from curation.evaluations.models import Evaluation
from curation.jobs import Status
from curation.projects.models import Membership, Project, User
from curation.questions.models import Question, QuestionImport
from curation.rationales.importing import run_import
from curation.rationales.models import GenerationRun, Teacher
from curation.reviews.decisions.rule import apply_rule
from curation.training.models import TrainingJob
from curation.web import rate_limit
from curation.webhooks.models import WebhookDelivery
from curation.webhooks.services import add_hook
from tests.conftest import person
from tests.curation.api.api_calls import ROOT, Caller, no_brake
from tests.curation.test_attacks import WALKS
from tests.curation.training.training_rows import frozen, training

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]


@pytest.fixture
def ada(project: Project, admin_user: User) -> Caller:
    return Caller(admin_user)


@pytest.fixture
def rudi(project: Project, reviewer: User) -> Caller:
    return Caller(reviewer, "read")


def all_pages(who: Caller, path: str) -> list[Any]:
    found, following = [], path
    while following:
        page = who.get(following)
        found += page["items"]
        following = page["next"]
    return found


def test_a_list_is_read_to_its_end_without_a_row_twice_or_missed(
    make_questions: Make, rudi: Caller
) -> None:
    made = make_questions(7, domain="shop") + make_questions(3, domain="farm")
    rows = all_pages(rudi, "questions?limit=3")
    assert [row["id"] for row in rows] == [one.pk for one in made]
    farm = all_pages(rudi, "questions?limit=2&domain=farm")
    assert len(farm) == 3 and {row["domain"] for row in farm} == {"farm"}


def test_rationales_come_newest_first_and_of_one_question(
    make_questions: Make, make_rationales: Make, rudi: Caller
) -> None:
    one, two = make_questions(2)
    for question in (one, two):
        make_rationales(question, ["right", "wrong", "right"])
    rows = all_pages(rudi, "rationales?limit=2")
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(rows) == 6
    assert len(all_pages(rudi, f"rationales?question={one.pk}&limit=2")) == 3
    right = rudi.get("rationales?answer=right")["items"]
    assert {row["score"]["correctness"] for row in right} == {1.0} and len(right) == 4
    detail = rudi.get(f"rationales/{rows[0]['id']}")
    assert [step["number"] for step in detail["steps"]] == [1, 2, 3]


@pytest.mark.parametrize("name", ["questions", "rationales", "runs", "datasets", "reviews", ""])
@pytest.mark.parametrize("walk", [*WALKS, "limit=0", "limit=201", "limit=x", "after=-1"])
def test_a_filter_that_is_not_offered_is_refused(name: str, walk: str, rudi: Caller) -> None:  # B1
    place = f"{name}?{walk}" if name else f"/projects?{walk}"
    assert rudi.get(place, status=400)["title"] == "Bad Request"


LISTS = {"questions": 10, "rationales": 10, "runs": 10, "imports": 8, "datasets": 8, "reviews": 8}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_the_data_base_a_bounded_number_of_times(
    name: str,
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    rudi: Caller,
    django_assert_max_num_queries: Any,
) -> None:  # E6
    for question in make_questions(6):
        make_rationales(question, ["right", "wrong"])
    for _ in range(6):
        GenerationRun.objects.create(project=project, temperatures=[0.5], samples=1)
        QuestionImport.objects.create(project=project, file_name="rows.jsonl", status="done")
    with django_assert_max_num_queries(LISTS[name]):
        rudi.get(name)


def test_questions_come_in_as_json_by_a_worker(
    project: Project,
    ada: Caller,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    body = {
        "questions": [
            {"question": "1 + 1?", "reference_answer": "2", "rationales": [
                {"teacher": "far", "text": "1 + 1 = 2\nAnswer: 2", "temperature": 0.3}]},
            {"question": "2 + 2?", "reference_answer": ["4", "four"], "split": "eval"},
        ],
        "order_key": "one",
    }  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        job = ada.post("questions", body, status=202)
    assert job["status"] == "waiting" and wake_ups("files") == 1
    assert ada.post("questions", body, status=202)["id"] == job["id"] and wake_ups("files") == 1
    run_import(job["id"])
    done = ada.get(f"imports/{job['id']}")
    assert (done["status"], done["questions_added"], done["rationales_added"]) == ("done", 2, 1)
    (second,) = ada.get("questions?split=eval")["items"]
    assert second["reference_answer"] == "4" and second["other_answers"] == ["four"]
    bad = {"questions": [{"question": " "}]}
    job = ada.post("questions", bad, status=202)
    run_import(job["id"])
    told = ada.get(f"imports/{job['id']}")
    assert told["status"] == "failed" and told["bad_rows"][0]["line"] == 1
    ada.post("questions", {"questions": []}, status=400)
    ada.post("questions", {"questions": [{"question": "a"}], "split": "mine"}, status=400)


def upload(who: Caller, code: int, **fields: Any) -> Any:
    rows = b"".join(json.dumps({"question": f"{n}?"}).encode() + b"\n" for n in range(5))
    file = SimpleUploadedFile("rows.jsonl", rows)
    place = f"{ROOT}/projects/eggs/imports"
    answer = who.client.post(place, {"file": file, **fields}, headers=who.headers)
    assert answer.status_code == code, answer.content
    return answer.json()


def test_a_file_comes_in_as_on_the_page(project: Project, ada: Caller) -> None:
    job = upload(ada, 202, split="ood", order_key="k")
    assert upload(ada, 202, split="ood", order_key="k")["id"] == job["id"]
    run_import(job["id"])
    assert project.questions.filter(split="ood").count() == 5
    again = ada.post(f"imports/{job['id']}/again", {}, status=202)
    assert again["id"] != job["id"] and again["keep_good_rows"] is True
    assert ada.post(f"imports/{again['id']}/cancel")["status"] == "cancelled"
    ada.post(f"imports/{again['id']}/cancel", status=409)
    assert "no preset" in upload(ada, 400, preset="mine")["detail"]
    assert "status" in upload(ada, 400, status="done")["detail"]  # A6


def test_a_run_is_ordered_once_and_can_be_held_and_taken_up(
    project: Project, make_questions: Make, teacher: Teacher, ada: Caller, rudi: Caller
) -> None:
    make_questions(3)
    body = {"teachers": ["strong"], "temperatures": [0.5], "samples": 2, "order_key": "r"}
    run = ada.post("runs", body, status=201)
    assert run["progress"]["total"] == 6 and run["teachers"] == ["strong"]
    assert ada.post("runs", body, status=201)["id"] == run["id"]
    place = f"runs/{run['id']}"
    assert ada.post(f"{place}/pause")["status"] == "paused"
    ada.post(f"{place}/pause", status=409)
    assert ada.call("PUT", f"{place}/budget", {"rationales": 5})["budget_rationales"] == 5
    assert ada.post(f"{place}/resume")["status"] == "waiting"
    assert ada.post(f"{place}/cancel")["status"] == "cancelled"
    ada.post(f"{place}/retry", status=409)
    ada.post(f"{place}/cut-off", {"max_tokens": 500}, status=409)
    assert rudi.get(place)["created_by"] == "ada"
    ada.post("runs", {**body, "order_key": "x", "teachers": ["nobody"]}, status=400)
    ada.post("runs", {**body, "order_key": "x", "which": "some"}, status=400)
    ada.post("runs", {**body, "order_key": "x", "which": "first"}, status=400)
    ada.post("runs", {**body, "order_key": "x", "temperatures": [9]}, status=400)
    ada.post("runs", {**body, "order_key": "x", "budget": {"rationales": 10**15}}, status=400)
    assert GenerationRun.objects.count() == 1


def test_an_order_key_of_another_project_is_no_way_to_its_work(
    project: Project, make_questions: Make, teacher: Teacher, ada: Caller, stranger: User
) -> None:  # A3
    make_questions(1)
    ada.post("runs", {"teachers": ["strong"], "order_key": "secret"}, status=201)
    other = Project.objects.get(slug="elsewhere")
    Teacher.objects.create(project=other, name="strong", model="demo:strong")
    body = {"teachers": ["strong"], "order_key": "secret"}
    told = Caller(stranger).post("/projects/elsewhere/runs", body, status=400)
    assert "eggs" not in str(told) and "key" not in str(told)  # it has no questions
    make_questions(1, to=other)
    made = Caller(stranger).post("/projects/elsewhere/runs", body, status=201)
    assert GenerationRun.objects.get(pk=made["id"]).project == other


def test_scoring_is_ordered_and_stopped(
    project: Project, make_questions: Make, make_rationales: Make, ada: Caller, rudi: Caller
) -> None:
    ada.post("scoring/cancel", status=400)
    make_rationales(make_questions(1)[0], ["right", "wrong"], scored=False)
    assert rudi.get("scoring")["waiting_questions"] == 1
    assert ada.post("scoring", {}, status=202)["run"]["status"] == "waiting"
    assert ada.post("scoring/cancel")["run"]["status"] == "cancelled"
    assert ada.post("scoring", {"again": True}, status=202)["total"] == 2


def test_a_dataset_is_frozen_checked_and_taken_away(
    project: Project, make_questions: Make, make_rationales: Make, ada: Caller, rudi: Caller
) -> None:
    ada.post("datasets", {}, status=409)
    for question in make_questions(3):
        make_rationales(question, ["right", "wrong"])
    apply_rule(project)
    order = {"limit": 2, "order_key": "d"}
    made = ada.post("datasets", order, status=202)
    assert made["number"] == 1 and ada.post("datasets", order, status=202)["number"] == 1
    ada.post("datasets/1/verify", status=409)
    rudi.post("datasets/1/verify", status=403)
    freeze(made["id"])
    done = rudi.get("datasets/1")
    assert done["status"] == "done" and done["example_count"] == 2 and "# Eggs" in done["card"]
    ada.get("datasets/1/verify", status=404)
    checked = ada.post("datasets/1/verify", status=202)
    assert (checked["status"], checked["same"], checked["done"]) == ("done", True, 2)
    assert ada.get("datasets/1/verify") == checked
    place = f"{ROOT}/projects/eggs/datasets/1/download"
    file = ada.client.get(f"{place}/jsonl", headers=ada.headers)
    lines = b"".join(file.streaming_content).splitlines()
    assert len(lines) == 2 and json.loads(lines[0])["prompt"]
    assert file["Content-Disposition"].startswith("attachment")
    ada.get("datasets/1/download/exe", status=404)
    rudi.get("datasets/1/download/jsonl", status=403)
    ada.post("datasets", {"teachers": ["nobody"]}, status=400)
    for _ in range(3):
        ada.post("datasets", {"selection": "unfiltered"}, status=202)
    assert [row["number"] for row in all_pages(rudi, "datasets?limit=2")] == [4, 3, 2, 1]


def test_a_training_is_ordered_watched_and_stopped(
    project: Project, ada: Caller, rudi: Caller
) -> None:
    frozen(project)
    body = {"dataset": 1, "preset": "demo", "recipe": {"epochs": 2.0}, "order_key": "t"}
    job = ada.post("trainings", body, status=201)
    assert job["recipe"] == {"epochs": 2.0, "max_steps": 0} and job["dataset"] == 1
    assert ada.post("trainings", body, status=201)["id"] == job["id"]
    ada.post("trainings", {**body, "order_key": "u"}, status=409)  # E9
    assert ada.post(f"trainings/{job['id']}/cancel")["status"] == "cancelled"
    assert ada.post(f"trainings/{job['id']}/resume")["status"] == "waiting"
    rudi.get(f"trainings/{job['id']}/log", status=404)
    ada.get(f"trainings/{job['id']}/adapter", status=404)
    ada.post("trainings", {"dataset": 9}, status=400)
    ada.post("trainings", {"dataset": 1, "preset": "../x"}, status=400)  # B8
    ada.post("trainings", {"dataset": 1, "recipe": {"output_dir": "/tmp"}}, status=400)
    assert TrainingJob.objects.count() == 1
    assert rudi.get(f"trainings/{job['id']}")["points"] == []


def test_an_evaluation_is_ordered_and_stopped(
    project: Project, make_questions: Make, ada: Caller, rudi: Caller
) -> None:
    job = training(project, frozen(project), points=2)
    ada.post("evaluations", {"training": job.pk}, status=409)
    make_questions(2, split="eval")
    body = {"training": job.pk, "splits": ["eval"], "limit": 5, "order_key": "e"}
    made = ada.post("evaluations", body, status=201)
    assert ada.post("evaluations", body, status=201)["id"] == made["id"]
    assert made["training"] == job.pk and made["report"] == {}
    assert ada.post(f"evaluations/{made['id']}/cancel")["status"] == "cancelled"
    assert ada.post(f"evaluations/{made['id']}/resume")["status"] == "waiting"
    ada.post("evaluations", {"training": 99}, status=400)
    ada.post("evaluations", {"splits": ["train"]}, status=400)
    assert rudi.get(f"evaluations/{made['id']}/answers?right=yes")["items"] == []
    rudi.get(f"evaluations/{made['id']}/answers?right=perhaps", status=400)
    assert Evaluation.objects.get().status == Status.WAITING


def test_members_settings_and_rubric_are_an_admins_to_change(
    project: Project, ada: Caller, reviewer: User
) -> None:
    person("olga")
    assert ada.call("PUT", "members/olga", {"role": "reviewer"})["role"] == "reviewer"
    ada.call("PUT", "members/nobody", {"role": "reviewer"}, status=400)
    ada.call("PUT", "members/olga", {"role": "owner"}, status=400)
    assert len(all_pages(ada, "members?limit=2")) == 3
    ada.call("DELETE", "members/olga", status=204)
    ada.call("DELETE", "members/olga", status=409)
    ada.call("DELETE", "members/ada", status=409)
    told = ada.call("PATCH", "", {"description": "Of eggs.", "overlap": 2})
    assert (told["description"], told["overlap"], told["name"]) == ("Of eggs.", 2, "Eggs")
    ada.call("PATCH", "", {"overlap": 0}, status=400)
    ada.call("PATCH", "", {"slug": "mine"}, status=400)
    ada.call("PATCH", "", {"student": "../x"}, status=400)
    rubric = ada.call("PUT", "rubric", {"min_validity": 0.9})
    assert rubric["version"] == 2 and rubric["min_conciseness"] == 0.4
    ada.call("PUT", "rubric", {"min_validity": 1.5}, status=400)
    assert ada.get("")["rubric"]["version"] == 2


def test_whoever_makes_a_project_is_its_admin(ada: Caller, admin_user: User) -> None:
    made = ada.post("/projects", {"name": "Milk"}, status=201)
    assert (made["slug"], made["role"]) == ("milk", "admin")
    ada.post("/projects", {"name": "Milk"}, status=409)
    ada.post("/projects", {"name": "x", "slug": "../x"}, status=400)
    assert [one["slug"] for one in ada.get("/projects")["items"]] == ["eggs", "milk"]
    assert Membership.objects.get(project__slug="milk").user == admin_user
    me = ada.get("/me")
    assert me["username"] == "ada" and me["scope"] == "admin" and me["project"] is None


def test_a_session_of_the_pages_works_as_well(project: Project, admin_client: Any) -> None:
    assert admin_client.get(f"{ROOT}/me").json()["token"] is None
    assert admin_client.get(f"{ROOT}/projects/eggs").json()["role"] == "admin"


def test_a_text_of_a_stranger_is_json_and_no_page(make_questions: Make, rudi: Caller) -> None:  # B2
    Question.objects.all().delete()
    (one,) = make_questions(1, question="</script><script>alert(1)</script>")
    answer = rudi.client.get(f"{ROOT}/projects/eggs/questions/{one.pk}", headers=rudi.headers)
    assert answer["Content-Type"].startswith("application/json")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_many_are_decided_at_once_and_taken_back(
    project: Project, make_questions: Make, make_rationales: Make, ada: Caller, admin_user: User
) -> None:
    add_hook(project, admin_user, "https://example.org/told")
    for question in make_questions(3):
        make_rationales(question, ["right", "wrong"])
    body = {"kind": "approve", "filters": {"answer": "right"}}
    counted = ada.post("bulk-actions/preview", body)
    assert (counted["total"], counted["changed"]) == (3, 3)
    order = {**body, "newest": counted["newest"], "order_key": "b"}
    made = ada.post("bulk-actions", order, status=201)
    assert (made["status"], made["changed"]) == ("done", 3)
    assert ada.post("bulk-actions", order, status=201)["id"] == made["id"]
    rows = ada.get("rationales?decision=bulk")["items"]
    assert {row["decision"]["reviewer"] for row in rows} == {"ada"} and len(rows) == 3
    back = ada.post(f"bulk-actions/{made['id']}/undo")
    assert back["undone"] and back["put_back"] == 3
    assert ada.get("rationales?decision=approved")["items"] == []
    ada.post(f"bulk-actions/{made['id']}/undo", status=409)
    ada.post("bulk-actions/preview", {"kind": "delete"}, status=400)
    ada.post("bulk-actions/preview", {"kind": "approve", "filters": {"pk": "1"}}, status=400)
    ada.post("bulk-actions", {**order, "kind": "reject", "order_key": "c"}, status=400)
    assert len(ada.get("bulk-actions")["items"]) == 1
    kinds = [one.kind for one in WebhookDelivery.objects.order_by("id")]
    assert kinds == ["decisions.made", "decisions.withdrawn"]


def test_a_teacher_is_made_and_changed_as_on_its_page(
    project: Project, ada: Caller, rudi: Caller
) -> None:
    body = {"name": "far", "backend": "openai", "model": "m", "base_url": "https://example.org/v1"}
    made = ada.post("teachers", {**body, "api_key_env": "FAR_API_KEY"}, status=201)
    assert (made["name"], made["max_tokens"], made["written"]) == ("far", 256, 0)
    assert "FAR_API_KEY" not in str(rudi.get(f"teachers/{made['id']}"))  # C6
    changed = ada.call("PATCH", f"teachers/{made['id']}", {"max_tokens": 99})
    assert (changed["max_tokens"], changed["base_url"]) == (99, "https://example.org/v1")
    assert Teacher.objects.get(name="far").api_key_env == "FAR_API_KEY"
    ada.post("teachers", body, status=400)  # the name is taken
    for wrong in ({"backend": "pickle"}, {"model": "-x"}, {"prompt_style": "mine"}, {"top_p": 7}):
        ada.post("teachers", {**body, "name": "other", **wrong}, status=400)
    assert Teacher.objects.count() == 1


def test_one_click_freezes_and_trains_once(
    project: Project, make_questions: Make, make_rationales: Make, ada: Caller
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    ada.post("export-and-train", {"preset": "demo"}, status=409)
    apply_rule(project)
    body = {"preset": "demo", "order_key": "one"}
    job = ada.post("export-and-train", body, status=201)
    assert job["dataset"] == 1 and ada.post("export-and-train", body, status=201)["id"] == job["id"]


def test_what_is_too_large_or_torn_is_a_problem_like_any_other(ada: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    large = {"name": "x", "description": "y" * 2000}
    assert ada.post("/projects", large, status=413)["status"] == 413
    place = f"{ROOT}/projects/eggs/imports"
    torn = ada.client.generic(
        "POST", place, b"--x\r\nnonsense", "multipart/form-data; boundary=", headers=ada.headers
    )
    assert torn.status_code == 400 and torn["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("place", ["rationales?q=eggs", "questions?q=eggs"])
def test_searches_have_a_brake_of_their_own(
    place: str, project: Project, rudi: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:  # D2
    monkeypatch.setattr(rate_limit.SEARCHES, "most", 3)
    monkeypatch.setattr(rate_limit.SEARCHES, "window", 86_400)
    for _ in range(3):
        rudi.get(place)
    assert "searches" in rudi.get(place, status=429)["detail"]
    rudi.get(place.partition("?")[0])
