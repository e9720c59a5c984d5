"""Statements that are built once answer as the querysets that they are written as."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.db.prepared_queries import Param, Prepared, PreparedInsert, PreparedUpdate, run_sql
from curation.projects.models import Membership, Project, User
from curation.questions.models import Question
from curation.rationales.models import Rationale, Score

pytestmark = pytest.mark.django_db

SCORED = Prepared(
    lambda: (
        Rationale.objects.filter(question=Param("question"))
        .select_related("score", "teacher", "decision")
        .order_by("-score__overall", "id")
    )
)
NAMES = Prepared(
    lambda: (
        Membership.objects.filter(project=Param("project"))
        .values("role")
        .annotate(people=Count("pk"))
        .values_list("role", "people")
        .order_by("role")
    )
)
SINCE = Prepared(lambda: User.objects.filter(date_joined__gte=Param("since")).values_list("pk"))
RENAME = PreparedUpdate(
    lambda: (
        Question.objects.filter(pk=Param("pk"), domain=Param("before")),
        {"domain": Param("after"), "difficulty": "hard"},
    )
)
NEW = PreparedInsert(Question)
PUT = PreparedInsert(Score, unique="rationale", updates=("overall", "detail"))


def plain(one: object) -> dict:
    return {f.attname: getattr(one, f.attname) for f in one._meta.concrete_fields}


def test_objects_come_with_their_relations_and_types(
    make_questions: Callable, make_rationales: Callable
) -> None:
    first, second = make_questions(2)
    make_rationales(first, ["right", "wrong", "She has 2 eggs.\nAnswer: 2"])
    make_rationales(second, ["right"])
    for question in (first, second, first):
        wanted = list(
            Rationale.objects.filter(question=question)
            .select_related("score", "teacher", "decision")
            .order_by("-score__overall", "id")
        )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = SCORED.all(question=question.pk)
            assert [plain(one) for one in found] == [plain(one) for one in wanted]
            assert [plain(one.score) for one in found] == [plain(one.score) for one in wanted]
            assert [str(one.teacher) for one in found] == [str(one.teacher) for one in wanted]
            assert not any(hasattr(one, "decision") for one in found)
        assert len(queries) == 1
    assert SCORED.first(question=0) is None


def test_values_and_moments(project: Project, admin_user: User, reviewer: User) -> None:
    assert NAMES.all(project=project.pk) == [("admin", 1), ("reviewer", 1)]
    assert NAMES.all(project=0) == []
    everybody = {admin_user.pk, reviewer.pk}
    assert everybody <= {pk for (pk,) in SINCE.all(since=admin_user.date_joined)}
    assert SINCE.all(since=timezone.now() + timedelta(days=1)) == []


def test_an_update_changes_what_still_is_as_it_was(make_questions: Callable) -> None:
    (question,) = make_questions(1)
    before = question.domain
    assert RENAME.run(pk=question.pk, before="another", after="x") == 0
    assert RENAME.run(pk=question.pk, before=before, after="% of it") == 1
    question.refresh_from_db()
    assert (question.domain, question.difficulty) == ("% of it", "hard")


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_rows_are_stored_with_their_keys(make_questions: Callable, count: int) -> None:
    (like,) = make_questions(1)
    rows = [
        Question(
            project_id=like.project_id,
            external_id=f"new {n}",
            content_hash=f"{n}",
            text=f"{n}% of 'it'? \N{GREEK SMALL LETTER PI}",
            choices=["A) 1", "B) %s"],
            reference_answer=None if n % 2 else "1",
        )
        for n in range(count)
    ]
    NEW.run(rows)
    stored = Question.objects.in_bulk([row.pk for row in rows])
    assert len(stored) == count
    assert [plain(stored[row.pk]) for row in rows] == [plain(row) for row in rows]
    assert not any(row._state.adding for row in rows)


def test_a_row_that_stands_is_brought_up_to_date(
    make_questions: Callable, make_rationales: Callable
) -> None:
    (question,) = make_questions(1)
    rationale = make_rationales(question, ["right"])[0]
    before = Score.objects.get(rationale=rationale)
    new = Score.objects.get(rationale=rationale)
    new.overall, new.detail, new.structure = 0.125, {"steps": []}, 0.0
    PUT.run([new])
    after = Score.objects.get(rationale=rationale)
    assert (after.overall, after.detail) == (0.125, {"steps": []})
    assert after.structure == before.structure  # not among the updates


def test_what_a_constraint_forbids_is_django_s_error(project: Project, admin_user: User) -> None:
    twice = PreparedInsert(Membership)
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.run([Membership(project=project, user=admin_user, role="admin")])
    assert Membership.objects.filter(project=project, user=admin_user).count() == 1


def test_a_written_statement(project: Project) -> None:
    sql = "SELECT slug FROM projects_project WHERE id = %(pk)s AND created_at <= %(now)s"
    assert run_sql(sql, pk=project.pk, now=timezone.now()) == (project.slug,)
    assert run_sql(sql, pk=0, now=timezone.now()) is None


@pytest.mark.django_db(transaction=True)
def test_every_thread_and_a_new_connection_build_their_own(
    project: Project, admin_user: User
) -> None:
    found: list[list] = []

    def ask() -> None:
        found.append(NAMES.all(project=project.pk))
        connection.close()
        found.append(NAMES.all(project=project.pk))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[("admin", 1), ("reviewer", 1)]] * 8
