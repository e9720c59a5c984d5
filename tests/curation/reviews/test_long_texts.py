"""Long rationales without a browser: all their steps can be asked for, doubts are found, labels of many steps
are few words."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from curation.projects.models import Project, User
from curation.rationales.models import Rationale, Score, Source
from curation.reviews.bench.doubts import doubts_in
from curation.reviews.models import Review
from tests.curation.reviews.benching import at, begin, post
from tests.e2e.long_texts import long_text

Make = Callable[..., list[Any]]
pytestmark = pytest.mark.django_db


def asked(client: Client, **what: Any) -> Any:
    return client.get(at("review_steps"), what)


def test_all_steps_come_part_by_part_the_final_part_first(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (row,) = make_rationales(make_questions(1)[0], [long_text(1_200, {700})])
    html = begin(reviewer_client)["html"]
    first = [int(n) for n in re.findall(r'data-step="(\d+)"', html)]
    assert first[:4] == [1198, 1199, 1200, 1] and len(first) <= 123
    numbers: list[int] = []
    for block in range(3):
        parts = asked(reviewer_client, rationale=row.pk, block=block).json()["parts"]
        numbers += [int(n) for part in parts for n in re.findall(r'data-step="(\d+)"', part)]
    assert numbers == [1198, 1199, 1200, *range(1, 1198)]
    assert asked(reviewer_client, rationale=row.pk, block=9).json() == {"parts": []}


def test_the_text_of_each_step_is_found_in_the_units_of_a_browser(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    text = "🥚 One egg and one.\n1 + 1 = 2 🥚🥚.\nAnswer: 2"
    (row,) = make_rationales(make_questions(1)[0], [text])
    told = asked(reviewer_client, rationale=row.pk, what="text").json()
    units = told["text"].encode("utf-16-le")
    steps = [units[2 * a : 2 * b].decode("utf-16-le") for a, b in told["spans"]]
    assert steps == text.split("\n")


def test_what_the_bench_does_not_show_is_not_told(
    make_questions: Make,
    make_rationales: Make,
    project: Project,
    reviewer_client: Client,
    stranger: User,
    admin_user: User,
) -> None:
    (row,) = make_rationales(make_questions(1)[0], ["right"])
    Rationale.objects.filter(pk=row.pk).update(reasoning="Hm. " * 2_000)
    assert "Hm." in asked(reviewer_client, rationale=row.pk, what="thought").json()["html"]
    Project.objects.update(is_blind=True)
    assert asked(reviewer_client, rationale=row.pk, what="thought").status_code == 404
    edit = Rationale.objects.create(
        project=project,
        question=row.question,
        source=Source.PERSON,
        author=admin_user,
        text="Mine.",
    )
    assert asked(reviewer_client, rationale=edit.pk, block=0).status_code == 404
    client = Client()
    client.force_login(stranger)
    assert asked(client, rationale=row.pk, block=0).status_code == 404
    for wrong in ({}, {"rationale": "x"}, {"rationale": row.pk, "what": "all"}):
        assert asked(reviewer_client, **wrong).status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "Wait, let me check.", "But wait — that is too much.", "Let me double-check this.",
        "Hmm, 18 does not fit.",
        "Moment, das stimmt nicht.", "Attends, vérifions.", "Espera, revisemos.", "Подожди, проверим.",
        "等等，让我检查一下。", "待って、もう一度確認します。",
        "잠깐, 다시 계산해 보자.", "انتظر، دعني أتحقق من ذلك.",
    ],
)  # fmt: skip
def test_a_doubt_is_found_in_many_languages(text: str) -> None:
    assert doubts_in(["One.", text]) == {2: ""}


@pytest.mark.parametrize(
    "text",
    [
        "They wait for the bus.",
        "The waiter serves 5.",
        "So x = 5.",
        "Let me add them.",
        "他们在车站。",
        "Check in at 5.",
    ],
)
def test_an_ordinary_step_is_no_doubt(text: str) -> None:
    assert doubts_in([text]) == {}


def test_a_sum_that_comes_out_otherwise_says_what_it_was_before() -> None:
    found = doubts_in(
        ["28 × 3 = 84.", "28 * 3 = 84.0", "28×3 = 86.", "x = 5", "x = 7 - 2", "x = 6"]
    )
    assert found == {3: "28×3 was 84 in step 2.", 6: "x was 5 in step 4."}


def test_labels_of_many_steps_are_sent_as_ranges(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (row,) = make_rationales(make_questions(1)[0], [long_text(1_000)])
    item = begin(reviewer_client)["state"]["item"]

    def sent(labels: dict[str, int]) -> Any:
        say = {
            "rationale": row.pk,
            "verdict": "reject",
            "reasons": ["wrong_step"],
            "step_labels": labels,
        }
        return post(reviewer_client, "review_submit", {"item": item, "says": [say]})

    for wrong in (
        {"9-3": 1},
        {"1-9": 1, "5": -1},
        {"1-999999": 1},
        {"1-1003": 1},
        {"1-": 1},
        {"0-5": 1},
    ):
        assert sent(wrong).status_code == 400, wrong
    assert sent({"1-740": 1, "741": -1}).status_code == 200
    assert Review.objects.get().step_labels == {**{str(n): 1 for n in range(1, 741)}, "741": -1}


def test_a_meter_that_shows_one_number_in_the_whole_project_is_left_out(
    make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    for one in make_questions(20):
        make_rationales(one, ["right", "wrong"], scored=False)
    Score.objects.bulk_create(
        Score(
            project_id=row.project_id, rationale=row, teacher_id=row.teacher_id, scorer_version="1",
            detail={}, verdict="right", structure=1.0, validity=row.pk % 10 / 10, conciseness=row.pk % 7 / 7,
        )
        for row in Rationale.objects.all()
    )  # fmt: skip
    assert 'data-flat="Structure"' in reviewer_client.get(at("review")).content.decode()
