"""What comes first in the queue, and the reason that the bench shows for it."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import Project, Rubric, User
from curation.rationales.models import Score
from curation.reviews.bench.open_rationales import to_review
from curation.reviews.models import QueueItem, Seat
from curation.reviews.queue.claims import next_item
from curation.reviews.queue.items import enqueue, pull_forward
from curation.reviews.queue.priority import Scored, near_rubric, rank_of
from curation.reviews.submission.submit import ReviewInput, submit

Make = Callable[..., list[Any]]
GOOD = {"validity": 0.9, "conciseness": 0.9, "structure": 0.9, "redundancy": 0.1}
RUBRIC = Rubric()  # validity 0.5, conciseness 0.4, structure 0.5, redundancy 0.8, right answer


def rationale(
    answer: str | None = "3", is_open: bool = True, verdict: str = "right", **scores: float
) -> Any:
    return Scored(answer, is_open, verdict, **{**GOOD, **scores})


def test_the_more_the_answers_differ_the_higher_the_rank() -> None:
    same, some, all_differ = ("3333", "3334", "3456")
    ranks = [
        rank_of([rationale(answer) for answer in one], RUBRIC) for one in (same, some, all_differ)
    ]
    assert ranks == [
        (0.0, "oldest first"),
        (0.25, "some rationales disagree"),
        (0.75, "teachers disagree"),
    ]


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"validity": 0.52}, "a rationale just passes: validity 0.52, rubric 0.50"),
        ({"validity": 0.48}, "a rationale just fails: validity 0.48, rubric 0.50"),
        ({"conciseness": 0.38}, "a rationale just fails: conciseness 0.38, rubric 0.40"),
        ({"redundancy": 0.82}, "a rationale just fails: idle steps 0.82, rubric 0.80"),
    ],
)
def test_a_rationale_near_a_threshold_says_which(scores: dict[str, float], words: str) -> None:
    rank, reason = rank_of([rationale(**scores), rationale()], RUBRIC)
    assert (rank, reason) == (0.4, words)  # 0.5 of 1 - 0.02 / 0.1


def test_what_cannot_turn_is_not_near() -> None:
    far = [
        rationale(validity=0.61),  # more than 0.1 above
        rationale(validity=0.49, structure=0.1),  # structure fails it by far
        rationale(verdict="wrong", validity=0.5),  # a wrong answer fails whatever its scores are
        rationale(verdict="not_read", validity=0.5),  # and so does one that cannot be compared
        Scored("3", True, "right", None, 0.9, 0.9, 0.1),  # what is not known passes nothing
    ]
    assert [near_rubric(one, RUBRIC)[0] for one in far] == [0.0] * 5
    assert rank_of([rationale(validity=0.5, is_open=False)], RUBRIC)[0] == 0.0  # decided already
    lenient = Rubric(right_answer=False)
    assert near_rubric(rationale(verdict="no_reference", validity=0.5), lenient)[0] == 1.0


def test_an_answer_that_was_not_read_disagrees_with_nothing_and_is_said() -> None:
    unread = rationale(None, verdict="not_read")
    assert rank_of([rationale("3"), rationale("3"), unread], RUBRIC) == (0.0, "1 answer not read")
    assert rank_of([unread, unread], RUBRIC) == (0.0, "2 answers not read")
    assert rank_of([rationale("3"), rationale("4"), unread], RUBRIC)[0] == 0.5
    decided = rationale(None, verdict="not_read", is_open=False)
    assert rank_of([rationale("3"), decided], RUBRIC) == (0.0, "oldest first")


def test_a_rubric_may_put_what_was_not_read_before_all_else() -> None:
    first = Rubric(unread="first")
    unread = rationale(None, verdict="not_read")
    rank, _ = rank_of([rationale("3"), unread], first)
    highest, _ = rank_of([rationale(str(n), validity=0.5) for n in range(9)], first)
    assert highest < rank < 2.0  # what an evaluation pulled forward stays before it


def test_both_reasons_stand_together_and_fit_their_column() -> None:
    rationales = [rationale("3", validity=0.51), rationale("4", redundancy=0.75), rationale("5")]
    rank, reason = rank_of(rationales, RUBRIC)
    assert rank == pytest.approx(2 / 3 + 0.45, abs=0.005)
    assert reason == "teachers disagree; a rationale just passes: validity 0.51, rubric 0.50"
    assert len(reason) <= QueueItem._meta.get_field("reason").max_length


@pytest.fixture
def questions(make_questions: Make, make_rationales: Make) -> list[Any]:
    """Four alike: all rationales right, far from every threshold."""
    made = make_questions(4)
    for question in made:
        make_rationales(question, ["right", "right"])
        Score.objects.filter(rationale__question=question).update(
            verdict="right", unread="", **GOOD
        )
    return made


def order_of_questions(project: Project, user: User) -> list[int]:
    order = []
    while seat := next_item(project, user):
        order.append(seat.item.question_id)
        submit(
            project,
            user,
            seat.item_id,
            [ReviewInput(r.pk, "approve") for r in to_review(seat.item)],
        )
    return order


def test_the_queue_follows_it_and_age_decides_between_equals(
    project: Project, reviewer: User, questions: list[Any]
) -> None:
    first, second, third, fourth = questions
    last = Score.objects.filter(rationale__question=fourth).first()
    Score.objects.filter(pk=last.pk).update(
        answer="77", verdict="wrong", unread=""
    )  # disagreement 0.5
    Score.objects.filter(rationale__question=third).update(validity=0.51)  # near: 0.45
    enqueue(project, [q.pk for q in questions])
    assert set(Seat.objects.values_list("rank", flat=True)) == {0.5, 0.45, 0.0}
    expected = [fourth.pk, third.pk, first.pk, second.pk]
    assert order_of_questions(project, reviewer) == expected


def test_what_failed_in_an_evaluation_stands_before_everything(
    project: Project,
    reviewer: User,
    questions: list[Any],
    make_questions: Make,
    make_rationales: Make,
) -> None:
    (weak,) = make_questions(1, domain="time")
    make_rationales(weak, ["right", "right"])
    Score.objects.filter(rationale__question=questions[0]).update(validity=0.5)
    enqueue(project, [questions[0].pk])
    assert pull_forward(project, ["time"], "students fail at time") == 1
    seat = next_item(project, reviewer)
    assert (seat.item.question, seat.item.reason) == (weak, "students fail at time")
    enqueue(project, [weak.pk])  # a new score leaves it there
    assert QueueItem.objects.get(question=weak).rank >= 2.0
