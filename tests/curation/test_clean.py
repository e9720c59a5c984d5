"""How texts are stored, at every door: one spelling, and nothing that looks empty."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.projects.services import create_project
from curation.questions.correcting.known import clean_row
from curation.questions.formats import BadRow, Row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Rationale
from curation.reviews.adjudication.adjudicate import flag_question
from curation.reviews.queue.claims import next_item
from curation.reviews.submission.submit import ReviewInput, submit
from curation.text.clean import alike, clean, clean_line, is_empty

Make = Callable[..., list[Any]]
EMPTY = [
    "",
    " ",
    "\u3164",
    "\u115f",
    "\u200b",
    "\u200b\u2060",
    "\u200b\u00a0",
    "\u3000\n\u00ad",
    "\ufeff",
]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a  \n b\t\n\n", "a\n b"),
        ("cafe\u0301", "caf\u00e9"),
        ("\n\n  a", "a"),
        ("    x = 1\n    y = 2", "    x = 1\n    y = 2"),
        ("\tx\n\ty", "\tx\n\ty"),
        ("    alone", "alone"),
        ("a\u2028b", "a\u2028b"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        *((empty, "") for empty in EMPTY),
    ],
)
def test_a_text_as_it_is_stored(said: str, stored: str) -> None:
    assert clean(said) == stored


@given(st.text(max_size=80))
def test_what_is_stored_is_stored_the_same_again(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert is_empty(clean(text)) == (clean(text) == "") == is_empty(text)
    assert alike(clean(text)) == alike(text)


def test_code_that_differs_by_its_indentation_is_not_alike() -> None:
    assert alike("if a:\n    b\nc") != alike("if a:\n    b\n    c")
    assert alike("a\n\n\nb ") == alike("a\r\nb")


@pytest.mark.parametrize("empty", EMPTY)
def test_what_looks_empty_is_empty_in_a_row(empty: str) -> None:
    assert isinstance(clean_row(Row(1, empty)), BadRow)


@pytest.mark.parametrize("empty", EMPTY)
def test_what_looks_empty_is_empty_at_the_bench(
    project: Project, make_questions: Make, make_rationales: Make, reviewer: User, empty: str
) -> None:
    question = make_questions(1)[0]
    (rationale,) = make_rationales(question, ["right"])
    item = next_item(project, reviewer).item_id
    for say, why in (
        (ReviewInput(rationale.pk, "edit", edited_text=empty), "edited rationale is empty"),
        (ReviewInput(None, "approve", edited_text=empty), "Your own rationale is empty"),
        (ReviewInput(rationale.pk, "reject", ["other"], comment=empty), "needs a comment"),
    ):
        with pytest.raises(Invalid, match=why):
            submit(project, reviewer, item, [say])
    with pytest.raises(Invalid, match="own words"):
        flag_question(project, reviewer, question, "other", empty)
    assert Rationale.objects.count() == 1


def test_an_edit_that_changes_line_ends_alone_changes_nothing(
    project: Project, reviewer: User, make_questions: Make, make_rationales: Make
) -> None:
    question = make_questions(1)[0]
    (rationale,) = make_rationales(question, ["right"])
    # As one stands that came in before texts were cleaned.
    stored = rationale.text.replace("\n", " \r\n")
    Rationale.objects.filter(pk=rationale.pk).update(text=stored)
    item = next_item(project, reviewer).item_id
    for text in (stored, rationale.text, f"\n{rationale.text}\r\n"):
        with pytest.raises(Invalid, match="changes nothing"):
            submit(project, reviewer, item, [ReviewInput(rationale.pk, "edit", edited_text=text)])


def test_names_are_one_line_in_one_spelling(admin_user: User, admin_client: Client) -> None:
    made = create_project(admin_user, " Cafe\u0301 \r\n project ")
    assert made.name == "Caf\u00e9 project" == clean_line(made.name)
    for empty in EMPTY:
        with pytest.raises(Invalid, match="needs a name"):
            create_project(admin_user, empty, "x")
    place = reverse("settings", args=[made.slug])
    admin_client.post(place, {"name": "\u200b", "description": "", "guidelines": ""})
    made.refresh_from_db()
    assert made.name == "Caf\u00e9 project"


def test_a_question_is_found_again_in_its_other_spelling(project: Project) -> None:
    one = add_questions(project, [Row(1, "Combien de cafe\u0301s\u00a0?")], "train")[0]
    two = add_questions(project, [Row(1, "Combien de caf\u00e9s ?")], "train")[0]
    assert one == two and Question.objects.count() == 1


def test_a_restored_or_renamed_one_conflicts_in_words(project: Project, admin_user: User) -> None:
    from curation.questions.correcting.changing import change_question

    one, two = add_questions(project, [Row(1, "caf\u00e9"), Row(2, "tea")], "train")[0]
    with pytest.raises(Conflict, match=f"#{one.pk} has this text"):
        change_question(project, admin_user, two.pk, {"text": "cafe\u0301"})
