"""The scoring task on real rows: what it measures against, what it says, and how it goes on."""

import os
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from curation.jobs import Status
from curation.projects.models import Project, User
from curation.questions.formats import Row, RowError, parse_row
from curation.questions.models import Question
from curation.questions.services import add_questions
from curation.rationales.models import Group, Score, ScoringRun, Teacher
from curation.rationales.scoring.scores import (
    note_tries,
    order_rescoring,
    order_scoring,
    store_scores,
    teacher_worth,
    waiting_groups,
)
from curation.reviews.models import Decision, QueueItem
from curation.reviews.queue.claims import next_item
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from tests.curation.rationales.scoring_rows import codes, one_question, score_all, write
from workers.model_paths import DEMO
from workers.requeue import put_back
from workers.scoring import SCORER_VERSION, score_items, tasks
from workers.scoring.tasks import MAX_TRIES, failed_score, how_to_score, score, score_groups

Make = Callable[..., list[Any]]


def test_a_rationale_is_measured_in_the_tokens_of_the_projects_student(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    Project.objects.filter(pk=project.pk).update(student="demo:student", max_rationale_tokens=16)
    (question,) = make_questions(1)
    short, long = make_rationales(question, ["Answer: 3", "right"], scored=False)
    assert score_all(project).note == ""
    assert "too_long" in codes(long) and "too_long" not in codes(short)


def test_a_student_is_loaded_once_for_each_state_of_its_files_and_found_when_it_comes_later(
    project: Project, settings: Any, tmp_path: Path
) -> None:
    settings.MODEL_ROOTS = [tmp_path]
    project.student, project.max_rationale_tokens = "late-student", 16
    for _ in range(2):
        with pytest.raises(ValueError, match="There is no model"):
            tasks.limit_of(project)
    folder = tmp_path / "late-student"
    shutil.copytree(DEMO / "student", folder)
    first = tasks.limit_of(project)
    assert tasks.limit_of(project) is first
    os.utime(folder / "tokenizer.json", ns=(1, 1))
    assert tasks.limit_of(project) is not first


def test_all_turns_of_a_run_weigh_teachers_as_they_were_when_it_began(
    project: Project, make_questions: Make, make_rationales: Make, teacher: Teacher
) -> None:
    (question,) = make_questions(1)
    make_rationales(question, ["right", "wrong"], scored=False)
    score_all(project)
    run = order_rescoring(project, None)
    before = how_to_score(run)["teacher_weights"]
    Score.objects.filter(project=project).update(verdict="wrong", unread="")
    again = ScoringRun.objects.get(pk=run.pk)  # as the next turn finds it
    with CaptureQueriesContext(connection) as queries:
        assert how_to_score(again)["teacher_weights"] == before
    assert not [one for one in queries if "COUNT" in one["sql"]]
    assert before and before != teacher_worth(project)


def test_without_a_length_in_the_settings_the_students_context_is_the_limit(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    Project.objects.filter(pk=project.pk).update(student="demo:student")
    (question,) = make_questions(1)
    fits, long = make_rationales(question, ["right", "She counts her eggs. " * 300], scored=False)
    score_all(project)
    assert "too_long" in codes(long) and "too_long" not in codes(fits)


def test_a_student_that_cannot_be_read_is_said_and_the_rest_is_scored(
    project: Project, make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    Project.objects.filter(pk=project.pk).update(student="demo:nobody")
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"], scored=False)
    assert "There is no demo model 'nobody'" in score_all(project).note
    assert Score.objects.get(pk=rationale.pk).correctness == 1.0
    page = admin_client.get(reverse("rationales", args=[project.slug])).content.decode()
    assert "There is no demo model &#x27;nobody&#x27;" in page


def test_teachers_weigh_what_their_answers_have_been_worth(
    project: Project, make_questions: Make, make_rationales: Make, teacher: Teacher
) -> None:
    other = Teacher.objects.create(project=project, name="wordy", model="demo:wordy")
    for question in make_questions(3):
        make_rationales(question, ["right", "right"], by=teacher)
        make_rationales(question, ["wrong"], by=other)
    worth = teacher_worth(project)
    assert worth == {teacher.name: pytest.approx(7 / 8), "wordy": pytest.approx(1 / 5)}
    (question,) = make_questions(1)
    made = make_rationales(question, ["right"], scored=False, by=teacher)
    made += make_rationales(question, ["wrong"], scored=False, by=other)
    run = order_scoring(project, None)
    score_groups(run, waiting_groups(project.pk, 10), how_to_score(run))
    shares = [Score.objects.get(pk=one.pk).detail["weighted_consistency"] for one in made]
    assert shares[0] == pytest.approx((7 / 8) / (7 / 8 + 1 / 5), abs=1e-3) and shares[0] > shares[1]


def test_any_of_several_right_answers_makes_a_rationale_right(
    project: Project, make_rationales: Make
) -> None:
    value = {"question": "Where?", "reference_answer": ["New York", "NYC"], "answer_type": "text"}
    question = add_questions(project, [parse_row(1, value)], "train")[0][0]
    assert question.right_answers == ("New York", "NYC")
    texts = [f"He flies there.\nThe answer is {place}." for place in ("NYC", "New York", "Boston")]
    rationales = write(question, texts)
    score_all(project)
    assert [Score.objects.get(pk=c.pk).correctness for c in rationales] == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("answers", [[], [""], [["5"]], ["5"] * 51])
def test_a_list_of_answers_that_makes_no_sense_is_a_bad_row(answers: list[Any]) -> None:
    with pytest.raises(RowError, match="reference_answer"):
        parse_row(1, {"question": "How many?", "reference_answer": answers})


def test_a_reference_that_cannot_be_used_is_said_at_the_question_and_not_held_against_rationales(
    project: Project, admin_client: Client
) -> None:
    broken = one_question(project, reference_answer="\\frac{3}{4", answer_type="expression")
    fine = add_questions(project, [Row(1, "And Tom?", reference_answer="5")], "train")[0][0]
    (rationale,) = write(broken, ["She has 5. Answer: 5"])
    write(fine, ["He has 5. Answer: 5"])
    score_all(project)
    broken.refresh_from_db(), fine.refresh_from_db()
    assert "never closed" in broken.reference_problem and fine.reference_problem == ""
    assert Score.objects.get(pk=rationale.pk).correctness is None
    page = admin_client.get(reverse("question", args=[project.slug, broken.pk])).content.decode()
    assert "No rationale can be graded here" in page and "never closed" in page
    listed = admin_client.get(reverse("questions", args=[project.slug]), {"state": "reference"})
    assert "How many eggs" in listed.content.decode()
    assert "And Tom?" not in listed.content.decode()


def test_a_rationale_at_which_the_scorer_failed_says_so_and_passes_no_rubric(
    project: Project, make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"], scored=False)
    store_scores(
        waiting_groups(project.pk, 1),
        {rationale.pk: failed_score("ValueError at this rationale")},
        "1.0",
    )
    assert codes(rationale) == {"scorer_failed"}
    assert not Score.objects.passing(project.rubric).exists()
    page = admin_client.get(reverse("question", args=[project.slug, question.pk])).content.decode()
    assert "The scorer failed (ValueError at this rationale)" in page


def test_scoring_that_was_cut_off_goes_on_and_scores_nothing_twice(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    for question in make_questions(6):
        make_rationales(question, ["right", "wrong"], scored=False)
    run = order_scoring(project, None)
    score_groups(run, waiting_groups(project.pk, 3), how_to_score(run))
    before = dict(Score.objects.values_list("pk", "scored_at"))
    assert len(before) == 6
    # The worker dies here: its row says running, and nothing is heard of it any more.
    long_ago = timezone.now() - timedelta(hours=1)
    ScoringRun.objects.filter(pk=run.pk).update(
        status=Status.RUNNING, attempt=1, started_at=long_ago, heartbeat_at=long_ago
    )
    assert put_back() >= 1
    score(run.pk)
    run.refresh_from_db()
    assert run.status == Status.DONE
    after = dict(Score.objects.values_list("pk", "scored_at"))
    assert len(after) == 12 and all(after[pk] == at for pk, at in before.items())


def test_a_rationale_that_comes_while_its_question_is_scored_is_scored_as_well(
    project: Project, make_questions: Make, make_rationales: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    (question,) = make_questions(1)
    make_rationales(question, ["right"], scored=False)
    late = []

    def scored_meanwhile(rationales: Any, **how: Any) -> Any:
        found = list(score_items(rationales, **how))
        if not late:
            late.extend(write(question, ["A late one.\nAnswer: 3"]))
        return found

    monkeypatch.setattr(tasks, "score_items", scored_meanwhile)
    score_all(project)
    assert Score.objects.get(pk=late[0].pk).correctness == 1.0
    assert not waiting_groups(project.pk, 10)


def test_a_worker_that_lost_its_run_writes_no_scores_over_those_of_the_next(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    (question,) = make_questions(1)
    (rationale,) = make_rationales(question, ["right"], scored=False)
    late = order_scoring(project, None)
    how = how_to_score(late)
    ScoringRun.objects.filter(pk=late.pk).update(attempt=1)  # the next worker began it meanwhile
    assert score_groups(late, waiting_groups(project.pk, 10), how) == 0
    assert not Score.objects.filter(pk=rationale.pk).exists()
    assert waiting_groups(project.pk, 10), "the group waits for the worker that has the run now"


def test_a_question_that_cannot_be_scored_fails_alone_and_says_why(
    project: Project, make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    before, broken, after = make_questions(3)
    fine = [make_rationales(one, ["right"], scored=False)[0] for one in (before, after)]
    (rationale,) = make_rationales(broken, ["right"], scored=False)
    # A row that no import writes, and that the scorers cannot read.
    Question.objects.filter(pk=broken.pk).update(choices=5)
    assert "a flag at each of them says why" in score_all(project).note
    assert all(Score.objects.get(pk=one.pk).correctness == 1.0 for one in fine)
    assert Score.objects.get(pk=rationale.pk).correctness is None
    assert codes(rationale) == {"scorer_failed"}
    broken.refresh_from_db()
    assert "cannot be read (TypeError" in broken.reference_problem
    page = admin_client.get(reverse("rationales", args=[project.slug])).content.decode()
    assert "Some rationales could not be scored" in page
    flag = Score.objects.get(pk=rationale.pk).detail["flags"][0]
    assert "TypeError at this question" in flag["message"]
    assert not waiting_groups(project.pk, 10), "nothing waits: the run has ended"


def test_a_question_at_which_workers_are_lost_is_left_alone_after_three_of_them(
    project: Project, make_questions: Make, make_rationales: Make
) -> None:
    questions = make_questions(4)
    rationales = [make_rationales(one, ["right"], scored=False)[0] for one in questions]
    run = order_scoring(project, None)
    deadly = questions[1].group
    for _ in range(MAX_TRIES):  # each worker notes that it begins, and dies at the same question
        groups = waiting_groups(project.pk, 10)
        while deadly not in groups:
            score_groups(run, groups, how_to_score(run))
            groups = waiting_groups(project.pk, 10)
        note_tries(groups)
    assert groups == [deadly], "nobody else is lost with it"
    score(run.pk)
    run.refresh_from_db()
    assert run.status == Status.DONE and "could not be scored" in run.note
    lost = Score.objects.get(pk=rationales[1].pk)
    assert lost.correctness is None
    assert "the worker was lost 3 times" in lost.detail["flags"][0]["message"]
    others = [Score.objects.get(pk=c.pk).correctness for i, c in enumerate(rationales) if i != 1]
    assert others == [1.0, 1.0, 1.0]
    # Scoring again gives it another chance, and a success forgets the losses.
    score(order_rescoring(project, None).pk)
    assert Score.objects.get(pk=rationales[1].pk).correctness == 1.0
    assert set(Group.objects.values_list("tries", flat=True)) == {0}


def test_scoring_again_changes_no_decision_and_names_the_scorers_version(
    project: Project,
    make_questions: Make,
    make_rationales: Make,
    reviewer: User,
    admin_client: Client,
) -> None:
    (question,) = make_questions(1)
    rationales = make_rationales(question, ["right", "wrong"])
    claimed = next_item(project, reviewer)
    submit(
        project,
        reviewer,
        claimed.item_id,
        [ReviewInput(rationales[0].pk, "approve"), ReviewInput(rationales[1].pk, "approve")],
    )
    before = list(Decision.objects.order_by("pk").values())
    Score.objects.update(scorer_version="0.1")
    run = order_rescoring(project, None)
    score(run.pk)
    assert list(Decision.objects.order_by("pk").values()) == before
    assert set(Score.objects.values_list("scorer_version", flat=True)) == {SCORER_VERSION}
    page = admin_client.get(reverse("question", args=[project.slug, question.pk])).content.decode()
    assert f"scorer {SCORER_VERSION}" in page


def test_each_flag_stands_at_its_step_in_a_sentence_where_the_rationale_is_read_and_reviewed(
    project: Project, make_questions: Make, make_rationales: Make, reviewer_client: Client
) -> None:
    (question,) = make_questions(1)
    text = "She has 16 eggs.\nShe eats 3 of them: 16 - 3 = 12.\nAnswer: 12"
    make_rationales(question, [text])
    for address in (
        reverse("question", args=[project.slug, question.pk]),
        reverse("review", args=[project.slug]),
    ):
        page = reviewer_client.get(address).content.decode()
        at = page.index("16 - 3 is 13, not 12.")
        before, behind = page.index("eats 3 of them"), page.index("Answer: 12")
        assert before < at < behind, address


def test_each_bar_of_the_rubrics_preview_leads_to_as_many_rationales(
    project: Project, make_questions: Make, make_rationales: Make, admin_client: Client
) -> None:
    for question in make_questions(4):
        make_rationales(question, ["right", "wrong", "She guesses 7."])
    cache.clear()
    values = {"right_answer": "on", "min_validity": 0.5, "min_conciseness": 0.4}
    values |= {"min_structure": 0.5, "max_redundancy": 0.8}
    page = admin_client.get(reverse("rubric_preview", args=[project.slug]), values)
    bars = re.findall(
        r'href="([^"]+range=[^"]+)" aria-label="([\d,]+) rationales', page.content.decode()
    )
    assert len(bars) == 4 * 20
    for score_name in ("validity", "conciseness", "structure", "redundancy"):
        assert sum(int(n) for href, n in bars if score_name in href) == 12
    for href, n in bars:
        if int(n):
            shown = admin_client.get(href).content.decode()
            assert shown.count('class="row-link"') == int(n), href
            assert re.search(
                r"<option[^>]*>(valid steps|conciseness|structure|idle steps) \d", shown
            )


@pytest.mark.parametrize("value", ["", "validity", "text:0-5", "validity:5-5", "validity:0-200"])
def test_a_range_that_makes_no_sense_is_refused(
    project: Project, admin_client: Client, value: str
) -> None:
    answer = admin_client.get(reverse("rationales", args=[project.slug]), {"range": value})
    assert answer.status_code == (200 if not value else 400)


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL reads so small a table without an index"
)
def test_the_index_of_the_counts_is_used(project: Project) -> None:
    found = Score.objects.filter(project=project).values("teacher").annotate(n=Count("pk"))
    assert "scores_to_count" in found.explain()


def test_scoring_that_meets_an_error_ends_with_its_reason_and_is_not_begun_again_at_once(
    project: Project, make_questions: Make, make_rationales: Make, tmp_path: Path, settings: Any
) -> None:
    (question,) = make_questions(1)
    make_rationales(question, ["right"], scored=False)
    # A folder that nobody foresaw: a student whose configuration is a list.
    settings.MODEL_ROOTS = [str(tmp_path)]
    (tmp_path / "odd").mkdir()
    shutil.copy(DEMO / "student" / "tokenizer.json", tmp_path / "odd")
    (tmp_path / "odd" / "config.json").write_text("[]")
    Project.objects.filter(pk=project.pk).update(student="odd")
    run = order_scoring(project, None)
    with pytest.raises(AttributeError):
        score(run.pk)
    run.refresh_from_db()
    assert run.status == Status.FAILED and "AttributeError" in run.error
    put_back()
    assert ScoringRun.objects.count() == 1
    ScoringRun.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    put_back()
    assert ScoringRun.objects.count() == 2


def test_what_a_reviewer_writes_does_not_show_in_the_scores_of_the_others(
    project: Project, make_questions: Make, make_rationales: Make, reviewer: User
) -> None:
    """Else the second reviewer of a question would see what the first one did."""
    set_overlap(project, 2)
    (question,) = make_questions(1)
    rationales = make_rationales(question, ["right", "right", "right"], scored=False)
    score_all(project)

    def shown() -> list[Any]:
        rows = Score.objects.filter(rationale__in=rationales).order_by("pk")
        scores = rows.values_list("consistency", "conciseness", "similarity", "overall")
        return [*scores, QueueItem.objects.get(question=question).reason]

    before, seat = shown(), next_item(project, reviewer)
    says = [
        ReviewInput(rationales[2].pk, "edit", edited_text="Answer: 5"),
        ReviewInput(None, "approve", edited_text="1 + 2 = 3. Answer: 3"),
    ]
    submit(project, reviewer, seat.item_id, says)
    score_all(project)
    assert shown() == before
    own = Score.objects.exclude(rationale__in=rationales)
    assert sorted(score.consistency for score in own) == [0, 1]
