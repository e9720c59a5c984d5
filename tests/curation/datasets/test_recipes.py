"""What a recipe chooses, what it leaves out and why, and the preview of it: by page, API and command."""

import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Value
from django.test import Client
from django.urls import reverse

from curation.datasets import choosing, previews
from curation.datasets.formats import jsonl_lines, open_format
from curation.datasets.models import DatasetVersion
from curation.datasets.previews import preview_of
from curation.datasets.services import freeze, order_freeze, verify
from curation.datasets.texts import answer_first
from curation.errors import Invalid
from curation.jobs import Status
from curation.projects.models import Project, SavedView, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score, Teacher, text_hash
from curation.reviews.decisions.rule import apply_rule
from tests.curation.api.api_calls import Caller, no_brake

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]


def frozen(project: Project, **how: Any) -> DatasetVersion:
    version = freeze(order_freeze(project, None, enqueue=False, **how).pk)
    assert version.status == Status.DONE, version.error
    return version


def rows(version: DatasetVersion, form: str = "jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in open_format(version, form)]


def texts(version: DatasetVersion) -> list[str]:
    return [row["completion"][0]["content"] for row in rows(version)]


def out(version: DatasetVersion) -> dict[str, int]:
    return {one["reason"]: one["out"] for one in version.funnel["stages"]}


def write(question: Question, teacher: Teacher, text: str, **fields: Any) -> Rationale:
    return Rationale.objects.create(
        project=question.project, question=question, source="teacher", teacher=teacher, text=text,
        text_hash=text_hash(text), **fields,
    )  # fmt: skip


def give(rationale: Rationale, **scores: Any) -> None:
    Score.objects.filter(rationale=rationale).update(**scores)


@pytest.fixture
def written(project: Project, make_questions: Make, make_rationales: Make) -> list[Rationale]:
    """Three questions: six right ones of two lengths, three wrong ones; overall 0.1 to 0.9."""
    made = []
    for question in make_questions(3):
        short = f"It is {question.reference_answer}.\nAnswer: {question.reference_answer}"
        made += make_rationales(question, ["right", "wrong", short])
    for n, rationale in enumerate(made, 1):
        give(rationale, overall=n / 10)
    return made


def test_the_funnel_adds_up_and_each_that_was_left_out_is_listed_with_its_reason(
    project: Project, teacher: Teacher, written: list[Rationale]
) -> None:
    write(written[0].question, teacher, written[0].text, sample=9)
    long = write(written[3].question, teacher, "On and on. " * 200 + "\nAnswer: 4")
    version = frozen(project, selection="unfiltered", right_only=True, max_tokens=200)
    assert out(version) == {"wrong": 3, "not_read": 2} and version.example_count == 6
    version = frozen(project, selection="unfiltered", max_tokens=200)
    assert version.funnel["candidates"] == 11
    assert out(version) == {"same_text": 1, "too_long": 1} and version.example_count == 9
    assert version.funnel["left"] == version.example_count
    listed = rows(version, "rejected")
    assert {row["rationale_id"]: row["reason"] for row in listed} == {
        long.pk: "too_long",
        Rationale.objects.get(sample=9).pk: "same_text",
    }
    assert "11 → 9: 1 the same text, 1 too long" in version.card


@pytest.mark.parametrize("which", ["best", "shortest", "validity", "random", "diverse"])
def test_of_each_question_one_is_taken_by_the_rule_that_was_asked_for(
    project: Project, written: list[Rationale], which: str
) -> None:
    for n, rationale in enumerate(written):
        give(rationale, validity=(n % 3) / 3)
    version = frozen(project, selection="unfiltered", per_question=1, which=which)
    assert version.example_count == version.question_count == 3
    assert out(version) == {"per_question": 6}
    taken = set(version.examples.values_list("rationale_id", flat=True))
    third = {one.pk for one in written[2::3]}  # the best score, the shortest right one, the highest
    assert taken == third or which in ("random", "diverse")


def test_the_most_different_two_of_three_are_taken(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    (question,) = make_questions(1)
    alike = [f"One and two and {n} make three of them. Answer: 3" for n in ("so", "thus")]
    other = "Nobody counts; she looks it up in a book.\nAnswer: 3"
    for text in (*alike, other):
        write(question, teacher, text)
    version = frozen(project, selection="unfiltered", per_question=2, which="diverse", seed=3)
    assert other in texts(version)


def test_a_score_that_is_missing_reaches_no_threshold(
    project: Project, teacher: Teacher, written: list[Rationale]
) -> None:
    write(written[0].question, teacher, "Never scored.\nAnswer: 3")
    version = frozen(project, selection="unfiltered", minimum={"overall": 0.5})
    assert out(version) == {"score": 4, "no_score": 1} and version.example_count == 5


def test_domains_are_balanced_and_a_limit_is_shared_among_them(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    for domain, count in (("shop", 6), ("farm", 2), ("road", 4)):
        for question in make_questions(count, domain=domain):
            make_rationales(question, ["right"])
    version = frozen(project, selection="unfiltered", balance="domain")
    assert Counter(row["domain"] for row in rows(version)) == {"shop": 2, "farm": 2, "road": 2}
    version = frozen(project, selection="unfiltered", balance="domain", limit=9)
    assert Counter(row["domain"] for row in rows(version)) == {"farm": 2, "shop": 4, "road": 3}
    version = frozen(project, selection="unfiltered", domains=["farm"])
    assert {row["domain"] for row in rows(version)} == {"farm"} and out(version) == {"domain": 10}


def test_a_saved_view_chooses_and_stays_as_it_was_when_it_was_frozen(
    project: Project, admin_user: User, written: list[Rationale]
) -> None:
    view = SavedView.objects.create(
        project=project, user=admin_user, page="rationales", name="good",
        filters={"band": "70", "sort": "best"}, is_shared=True,
    )  # fmt: skip
    version = frozen(project, selection="unfiltered", view="good")
    assert version.example_count == 2 and version.recipe["filters"] == {"band": "70"}
    view.delete()
    assert verify(version)
    with pytest.raises(Invalid, match="no saved view"):
        order_freeze(project, None, view="good")


def test_thoughts_are_cut_kept_or_left_out_wherever_they_stand(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    (question,) = make_questions(1)
    write(question, teacher, "Plain.\nAnswer: 3")
    write(question, teacher, "Beside.\nAnswer: 3", reasoning="Hm, 1 + 2.")
    write(question, teacher, "\n<think>\nWithin.\n</think>\n\nInside.\nAnswer: 3")
    write(question, teacher, "<think>It never ended")
    plain = {"Plain.\nAnswer: 3", "Beside.\nAnswer: 3", "Inside.\nAnswer: 3"}
    version = frozen(project, selection="unfiltered")
    assert set(texts(version)) == plain and out(version) == {"no_final": 1}
    kept = set(texts(frozen(project, selection="unfiltered", thoughts="inline")))
    assert "<think>\nWithin.\n</think>\n\nInside.\nAnswer: 3" in kept
    assert "<think>\nHm, 1 + 2.\n</think>\n\nBeside.\nAnswer: 3" in kept
    version = frozen(project, selection="unfiltered", thoughts="reasoning_content")
    beside = {row["completion"][0]["reasoning_content"] for row in rows(version)}
    assert beside == {"", "Hm, 1 + 2.", "Within."}
    table = __import__("pyarrow.parquet").parquet.read_table(
        io.BytesIO(open_format(version, "parquet").read())
    )
    # A column of a table is in every row; a line leaves out what is not known.
    assert table.to_pylist() == [{"verdict": None} | row for row in rows(version)]
    version = frozen(project, selection="unfiltered", thoughts="none")
    assert texts(version) == ["Plain.\nAnswer: 3"]


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("1 + 2 = 3.\nAnswer: 3", "Answer: 3\n\n1 + 2 = 3."),
        ("So.\n**Final answer:** 3\n", "**Final answer:** 3\n\nSo."),
        ("So.\n#### 3", "#### 3\n\nSo."),
        ("So.\nThus \\boxed{3}.", "Thus \\boxed{3}.\n\nSo."),
        ("Answer: 3", None),
        ("It is 3.\nShe is glad.", None),
    ],
)
def test_the_answer_is_put_first_where_one_stands_last(text: str, turned: str | None) -> None:
    assert answer_first(text) == turned


def test_what_has_no_answer_at_its_end_is_left_out_where_it_must_come_first(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    (question,) = make_questions(1)
    write(question, teacher, "1 + 2 = 3.\nAnswer: 3")
    write(question, teacher, "Three, I think.")
    version = frozen(project, selection="unfiltered", style="answer_first")
    assert texts(version) == ["Answer: 3\n\n1 + 2 = 3."] and out(version) == {"no_answer": 1}


@pytest.mark.parametrize(
    "how",
    [
        *({name: "nonsense"} for name in ("which", "balance", "style", "thoughts", "selection")),
        *({name: 0} for name in ("per_question", "max_tokens", "limit")),
        *({"minimum": one} for one in ({"overall": 2}, {"luck": 0.5})),
        *({"filters": one} for one in ({"question__project": "1"}, {"band": "91"})),
        *({name: ["nowhere"]} for name in ("teachers", "domains", "difficulties")),
    ],
)
def test_a_recipe_that_means_nothing_is_refused(
    project: Project, written: list[Rationale], how: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        order_freeze(project, None, **{"selection": "unfiltered", **how})
    assert not DatasetVersion.objects.exists()


def test_a_recipe_that_leaves_nothing_says_what_left_it_out(
    project: Project, written: list[Rationale]
) -> None:
    version = order_freeze(project, None, selection="unfiltered", max_tokens=1, enqueue=False)
    version = freeze(version.pk)
    assert version.status == "failed" and "9 → 0: 9 too long" in version.error


def test_the_preview_says_what_the_freezing_does(
    project: Project, written: list[Rationale], make_rationales: Make
) -> None:
    how = {"selection": "unfiltered", "right_only": True, "per_question": 1, "which": "shortest"}
    told = preview_of(project, None, **how)
    version = frozen(project, **how)
    assert told.funnel == version.funnel and not told.is_estimate
    assert told.questions == version.question_count == 3
    assert told.samples[0]["completion"] == texts(version)[0]


def test_the_preview_of_a_large_project_is_counted_on_some_of_its_questions(
    project: Project, make_questions: Make, teacher: Teacher, monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for n, question in enumerate(make_questions(60)):
        for k in range(3):
            write(question, teacher, f"{n}: {k if n % 2 else 0}.\nAnswer: 3", sample=k)
    monkeypatch.setattr(previews, "EXACT_UP_TO", 50)
    monkeypatch.setattr(previews, "SPOTS", 10)
    monkeypatch.setattr(previews, "AT_A_SPOT", 4)
    with django_assert_max_num_queries(40):
        told = preview_of(project, None, selection="unfiltered")
    assert told.is_estimate and told.questions_read == 40 and told.of_questions == 60
    assert told.funnel["candidates"] == 180 and told.funnel["left"] == 120 and told.questions == 60
    assert frozen(project, selection="unfiltered").example_count == 120


def test_the_page_shows_the_funnel_as_the_form_changes(
    project: Project, written: list[Rationale], admin_client: Client, reviewer_client: Client
) -> None:
    apply_rule(project)
    place = reverse("dataset_preview", args=["eggs"])
    page = admin_client.get(reverse("datasets", args=["eggs"])).content.decode()
    assert f'hx-post="{place}"' in page
    form = {"selection": "unfiltered", "per_question": "1", "order_key": "k"}
    told = admin_client.post(place, form).content.decode()
    assert "more than are wanted of its question" in told and "− 6" in told and "<b>3</b>" in told
    wrong = admin_client.post(place, {**form, "per_question": "0"}).content.decode()
    assert "Of each question at most" in wrong
    assert reviewer_client.post(place, form).status_code == 403
    admin_client.post(reverse("dataset_freeze", args=["eggs"]), form)
    version = DatasetVersion.objects.get()
    assert version.recipe["per_question"] == 1
    freeze(version.pk)
    again = order_freeze(project, None, selection="unfiltered", per_question=1, enqueue=False)
    freeze(again.pk)
    page = admin_client.get(reverse("dataset_detail", args=["eggs", 2])).content.decode()
    assert "9 → 3" in page and "These are the bytes of" in page and ">dataset 1</a>" in page


def test_a_script_previews_and_freezes_by_a_recipe(
    project: Project, admin_user: User, written: list[Rationale]
) -> None:
    ada = Caller(admin_user)
    recipe = {"selection": "unfiltered", "per_question": 1, "which": "best"}
    assert ada.post("datasets/preview", recipe, status=200)["funnel"]["left"] == 3
    made = ada.post("datasets", recipe, status=202)
    freeze(DatasetVersion.objects.get(number=made["number"]).pk)
    assert ada.get("datasets/1")["funnel"]["candidates"] == 9
    freeze(DatasetVersion.objects.get(number=ada.post("datasets", recipe, status=202)["number"]).pk)
    assert ada.get("datasets/2")["same_as"] == 1 and ada.get("datasets/1")["same_as"] is None
    ada.post("datasets/preview", {"which": "luck"}, status=400)
    ada.post("datasets/preview", {"status": "done"}, status=400)


def test_the_command_takes_the_recipe_and_tells_the_funnel(
    project: Project, written: list[Rationale], capsys: pytest.CaptureFixture[str]
) -> None:
    how = {"project": "eggs", "selection": "unfiltered", "per_question": 1, "min": ["overall=0.5"]}
    call_command("export_dataset", **how, preview=True)
    assert "9 → 2: 4 a score does not reach its threshold" in capsys.readouterr().out
    call_command("export_dataset", **how)
    call_command("export_dataset", **how)
    assert "These are the bytes of dataset 1." in capsys.readouterr().err


def test_lines_are_safe_for_every_reader_of_lines(
    project: Project, teacher: Teacher, make_questions: Make
) -> None:
    (question,) = make_questions(1)
    text = "a\u2028b\u2029c\x85d\x0be\x1cf\rg\n“h” é 🥚"
    write(question, teacher, text)
    version = frozen(project, selection="unfiltered")
    raw = open_format(version, "jsonl").read().decode()
    assert len(raw.splitlines()) == 1 and json.loads(raw)["completion"][0]["content"] == text
    assert "é 🥚" in raw  # what harms nobody stays readable


def test_who_is_renamed_decided_or_deleted_while_it_is_frozen_is_in_or_out_and_never_half(
    project: Project, teacher: Teacher, written: list[Rationale], monkeypatch: pytest.MonkeyPatch,
    make_questions: Make, make_rationales: Make,
) -> None:  # fmt: skip
    monkeypatch.setattr(choosing, "QUESTIONS_AT_ONCE", 1)
    monkeypatch.setattr("curation.datasets.services.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("curation.datasets.formats.PIECE", 2)
    from curation.datasets import services

    beats = []

    def meanwhile(version: DatasetVersion, **changes: Any) -> None:
        beats.append(1)
        Teacher.objects.filter(pk=teacher.pk).update(name=f"renamed {len(beats)}")
        if len(beats) == 2:
            make_rationales(make_questions(1)[0], ["right"])
        Rationale.objects.filter(pk=written[0].pk).update(temperature=Value(0.5))
        go_on(version, **changes)

    go_on = services.go_on
    monkeypatch.setattr(services, "go_on", meanwhile)
    version = frozen(project, selection="unfiltered")
    monkeypatch.undo()
    assert len(beats) > 8
    assert len({row["teacher"] for row in rows(version)}) == 1
    assert (
        verify(version) and b"".join(jsonl_lines(version)) == open_format(version, "jsonl").read()
    )
