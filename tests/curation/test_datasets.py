"""Frozen datasets: the same rows give the same bytes, and a later change does not touch them."""

import hashlib
import io
import json
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest
from django.db.models import Value
from django.db.models.functions import Concat

from curation import artifacts
from curation.datasets.formats import jsonl_lines, open_format, place
from curation.datasets.models import DatasetVersion
from curation.datasets.services import Superseded, freeze, order_freeze, verify, write_files
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, text_hash
from curation.reviews.models import Decision
from curation.reviews.services import apply_rule
from curation.work import Status, begin


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


def test_only_approved_chains_are_frozen_with_their_count_and_hash(approved: Project) -> None:
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


def test_every_question_gives_one_chain_before_any_gives_two(approved: Project) -> None:
    version = frozen(approved, limit=4)
    assert version.example_count == version.question_count == 4


def test_the_parquet_file_holds_what_the_jsonl_holds(approved: Project) -> None:
    version = frozen(approved)
    table = pq.read_table(io.BytesIO(open_format(version, "parquet").read())).to_pylist()
    assert table == lines(version)


def test_lines_have_trls_form_and_end_with_the_chain(approved: Project) -> None:
    row = lines(frozen(approved))[0]
    assert [m["role"] for m in row["prompt"] + row["completion"]] == ["user", "assistant"]
    assert "Answer: " in row["completion"][0]["content"]


def test_unfiltered_chains_can_be_frozen_for_comparing(approved: Project) -> None:
    version = frozen(approved, selection="unfiltered", teachers=["strong"])
    assert version.example_count == 12
    assert "unfiltered" in version.card


def test_unfiltered_chains_are_those_of_teachers_not_of_people(
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
    with pytest.raises(Conflict, match="No chain is approved yet"):
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
