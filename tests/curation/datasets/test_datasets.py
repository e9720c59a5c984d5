"""Frozen datasets: the same rows give the same bytes, and a later change does not touch them."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db.models import Value
from django.db.models.functions import Concat

from curation import artifacts
from curation.datasets.formats import jsonl_lines, open_format, place
from curation.datasets.models import DatasetVersion
from curation.datasets.services import Superseded, freeze, order_freeze, verify, write_files
from curation.errors import Conflict, Invalid
from curation.jobs import Status, begin
from curation.projects.models import Project, User
from curation.questions.formats import Row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Rationale, Teacher, text_hash
from curation.rationales.scoring.scores import mark_stale
from curation.reviews.bulk.orders import order_bulk, preview
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision
from tests.conftest import score_now
from tests.curation.reviews.reviewing import review

GOLDEN = Path(__file__).parent / "data" / "dataset.jsonl"
GOLDEN_1 = Path(__file__).parent / "data" / "dataset-form-1.jsonl"


@pytest.fixture
def approved(
    project: Project,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> Project:
    for question in make_questions(4):
        make_rationales(question, ["right", "wrong", "right"])
    apply_rule(project)
    return project


def frozen(project: Project, **how: object) -> DatasetVersion:
    version = freeze(order_freeze(project, None, **how).pk)
    assert version.status == Status.DONE, version.error
    return version


def lines(version: DatasetVersion) -> list[dict]:
    return [json.loads(line) for line in open_format(version, "jsonl")]


def test_only_approved_rationales_are_frozen_with_their_count_and_hash(approved: Project) -> None:
    version = frozen(approved)
    raw = artifacts.open_artifact(place(version, "jsonl")).read()
    assert hashlib.sha256(raw).hexdigest() == version.sha256
    assert version.example_count == len(raw.splitlines()) == 8
    assert version.question_count == 4
    assert all(row["approved_by"] == "rule, rubric 1" for row in lines(version))


def test_the_same_rows_give_the_same_bytes_again(approved: Project) -> None:
    first, second = frozen(approved), frozen(approved)
    assert (first.number, second.number) == (1, 2)
    assert first.sha256 == second.sha256
    assert open_format(first, "parquet").read() == open_format(second, "parquet").read()


def test_the_canonical_bytes_are_those_of_the_golden_file(
    project: Project, teacher: Teacher, reviewer: User
) -> None:
    """The same rows give these bytes on every database and in every version of Chainwright: a dataset
    is named by their hash. A change here is a change of the format, and breaks every hash there is."""
    rows = [
        Row(1, "Ann has 3 eggs.\nHow many “eggs” has she? <b>", "3", domain="shop", id="q/1"),
        Row(2, "Which?", "B", answer_type="choice", choices=("A) rouge", "B) vert é 🥚")),
        Row(3, "No answer\u2028here?", None),
    ]
    three, choice, open_one = add_questions(project, rows, "train")[0]
    written = [
        (three, "Step 1: 1 + 2 = 3.\nAnswer: 3", 0.3),
        (choice, "It is green\tand so on.\nAnswer: B", 0.7),
        (open_one, 'She says "nobody knows" \\ 1/2.', 0.5),
    ]
    for question, text, temperature in written:
        Rationale.objects.create(
            project=project, question=question, source="teacher", teacher=teacher, text=text,
            text_hash=text_hash(text), temperature=temperature, sample=0,
        )  # fmt: skip
    mark_stale(project, [three.pk, choice.pk, open_one.pk])
    score_now(project)
    assert apply_rule(project) == 1  # the first: the second is wrong, the third has no reference
    review(project, reviewer, choice, "edit")
    review(project, reviewer, open_one, "approve")
    version = frozen(project, seed=7)
    with artifacts.open_artifact(place(version, "jsonl")) as file:
        assert file.read() == GOLDEN.read_bytes()
    assert version.sha256 == hashlib.sha256(GOLDEN.read_bytes()).hexdigest()
    # One that was frozen before lines had a second form keeps the bytes and the hash that it had.
    older = {name: version.recipe[name] for name in ("selection", "teachers", "limit", "seed")}
    version.recipe = {**older, "rubric": 1}
    assert b"".join(jsonl_lines(version)) == GOLDEN_1.read_bytes()
    told = hashlib.sha256(GOLDEN_1.read_bytes()).hexdigest()
    assert told == "cfaf844d7917227a305ca691c3924454de5455b0134a552fe0394dc079b098b9"


def test_a_rationale_whose_edit_was_approved_is_not_frozen_beside_it(
    project: Project,
    reviewer: User,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> None:
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong"])
    review(project, reviewer, question, "approve", "edit")
    assert sorted(Decision.objects.values_list("outcome", flat=True)) == [
        *("approved", "approved", "superseded")
    ]
    texts = {row["completion"][0]["content"] for row in lines(frozen(project))}
    edit = Rationale.objects.get(author=reviewer)
    assert len(texts) == 2 and edit.text in texts and edit.parent.text not in texts


def test_of_equal_texts_the_one_that_came_first_is_kept_with_its_teacher(
    project: Project,
    teacher: Teacher,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> None:
    other = Teacher.objects.create(project=project, name="wordy", model="demo:wordy")
    first, second = make_questions(2)
    make_rationales(first, ["right"], by=other)
    make_rationales(first, ["right"], by=teacher)
    make_rationales(second, ["right"], by=teacher)
    make_rationales(second, ["right"], by=other)
    assert apply_rule(project) == 4
    told = {row["reference_answer"]: row["teacher"] for row in lines(frozen(project))}
    assert told == {first.reference_answer: "wordy", second.reference_answer: "strong"}


def test_the_bytes_stay_the_same_when_teachers_and_people_are_renamed(approved: Project) -> None:
    version = frozen(approved)
    before = b"".join(jsonl_lines(version))
    approved.teachers.update(name="somebody else")
    User.objects.update(username=Concat(Value("new-"), "username"))
    assert b"".join(jsonl_lines(version)) == before and b"somebody else" not in before


def test_a_frozen_dataset_stays_when_decisions_change(approved: Project) -> None:
    version = frozen(approved)
    Decision.objects.all().delete()
    assert verify(version)
    artifacts.remove(place(version, "jsonl"))
    assert hashlib.sha256(open_format(version, "jsonl").read()).hexdigest() == version.sha256


def test_every_question_gives_one_rationale_before_any_gives_two(approved: Project) -> None:
    version = frozen(approved, limit=4)
    assert version.example_count == version.question_count == 4


def test_the_parquet_file_holds_what_the_jsonl_holds(approved: Project) -> None:
    version = frozen(approved)
    table = pq.read_table(io.BytesIO(open_format(version, "parquet").read())).to_pylist()
    assert table == lines(version)


def test_lines_have_trls_form_and_end_with_the_rationale(approved: Project) -> None:
    row = lines(frozen(approved))[0]
    assert [m["role"] for m in row["prompt"] + row["completion"]] == ["user", "assistant"]
    assert "Answer: " in row["completion"][0]["content"]


def test_unfiltered_rationales_can_be_frozen_for_comparing(approved: Project) -> None:
    version = frozen(approved, selection="unfiltered", teachers=["strong"])
    assert version.example_count == 12
    assert "unfiltered" in version.card


def test_unfiltered_rationales_are_those_of_teachers_not_of_people(
    approved: Project, reviewer: User
) -> None:
    question = approved.questions.first()
    Rationale.objects.create(
        project=approved, question=question, source="person", author=reviewer,
        text="My own way.", text_hash=text_hash("My own way."),
    )  # fmt: skip
    texts = [
        row["completion"][0]["content"] for row in lines(frozen(approved, selection="unfiltered"))
    ]
    assert len(texts) == 12 and "My own way." not in texts


def test_held_out_questions_never_come_in(
    approved: Project,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> None:
    (held_out,) = make_questions(1, split="eval")
    make_rationales(held_out, ["right"])
    texts = {row["prompt"][0]["content"] for row in lines(frozen(approved, selection="unfiltered"))}
    assert held_out.text not in texts


def test_nothing_approved_is_said_before_anything_is_made(project: Project) -> None:
    with pytest.raises(Conflict, match="No rationale is approved yet"):
        order_freeze(project, None)
    assert not DatasetVersion.objects.exists()


def test_an_unknown_teacher_or_selection_is_refused(approved: Project) -> None:
    with pytest.raises(Invalid, match="nobody"):
        order_freeze(approved, None, teachers=["nobody"])
    with pytest.raises(Invalid, match="selection"):
        order_freeze(approved, None, selection="best")


def test_the_same_order_twice_is_one_dataset(approved: Project) -> None:
    assert order_freeze(approved, None, order_key="k") == order_freeze(
        approved, None, order_key="k"
    )


def test_a_second_wake_up_does_nothing(approved: Project) -> None:
    version = frozen(approved)
    assert freeze(version.pk) is None


def test_the_card_says_how_it_was_made(approved: Project) -> None:
    card = frozen(approved).card
    assert "8 chains of thought for 4 questions" in card and "by the rule (rubric 1): 8" in card


def test_a_late_worker_does_not_touch_the_files_of_a_newer_one(approved: Project) -> None:
    version = order_freeze(approved, None)
    late = begin(DatasetVersion, version.pk)
    DatasetVersion.objects.filter(pk=version.pk).update(status="waiting")  # put back, taken over
    newer = freeze(version.pk)
    with artifacts.open_artifact(place(newer, "jsonl")) as file:
        before = file.read()
    newer.examples.filter(position=0).delete()  # so that the late one would write other bytes
    with pytest.raises(Superseded):
        write_files(late)
    with artifacts.open_artifact(place(newer, "jsonl")) as file:
        assert file.read() == before
    folder = place(newer, "jsonl").rpartition("/")[0]
    assert not [name for name in artifacts.files_in(folder) if name.endswith(".part")]


def test_an_empty_rationale_is_not_frozen(
    approved: Project, make_rationales: Callable[..., list[Rationale]]
) -> None:
    make_rationales(approved.questions.first(), [""], scored=False)
    texts = [
        row["completion"][0]["content"] for row in lines(frozen(approved, selection="unfiltered"))
    ]
    assert len(texts) == 12 and all(texts)


def test_the_seed_draws_which_rationales_are_among_so_many(approved: Project) -> None:
    drawn = {
        seed: [row["completion"] for row in lines(frozen(approved, limit=2, seed=seed))]
        for seed in range(4)
    }
    assert drawn[0] == [row["completion"] for row in lines(frozen(approved, limit=2, seed=0))]
    assert any(drawn[seed] != drawn[0] for seed in (1, 2, 3))


def test_an_example_names_the_admin_who_approved_it_with_many_others(
    project: Project,
    admin_user: User,
    make_questions: Callable[..., list[Question]],
    make_rationales: Callable[..., list[Rationale]],
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    until = preview(project, "approve", {}).until
    order_bulk(project, admin_user, "approve", {}, until=until)
    assert [row["approved_by"] for row in lines(frozen(project))] == ["person ada, with others"]


def test_rows_that_are_no_longer_what_was_frozen_are_seen(approved: Project) -> None:
    version = frozen(approved)
    assert verify(version)
    rationale = version.examples.first().rationale
    Rationale.objects.filter(pk=rationale.pk).update(text=rationale.text + " ")
    assert not verify(version)
