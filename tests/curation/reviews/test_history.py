"""What was decided stands in a history that neither code nor hand-written SQL can change."""

import re

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from curation.db.managed_sql import triggers_of
from curation.reviews.decisions import audit_triggers
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision, DecisionLog, Review
from curation.reviews.queue.claims import claim
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo


@pytest.fixture
def rationale(make_questions, make_rationales):
    return make_rationales(make_questions(1)[0], ["right"])[0]


def say(project, user, rationale, verdict, **fields):
    seat = claim(project, user, rationale.question)
    return submit(project, user, seat.item_id, [ReviewInput(rationale.pk, verdict, **fields)])[0]


def refused(sql, *params):
    with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
    return str(told.value)


def steps(rationale):
    rows = DecisionLog.objects.filter(rationale=rationale).order_by("id")
    return list(rows.values_list("was", "outcome", "review", "rule"))


def test_each_decision_is_logged_with_where_it_came_from(project, reviewer, rationale):
    rubric = project.rubric
    assert apply_rule(project) == 1
    review = say(project, reviewer, rationale, "reject", reasons=["unclear"])
    undo(project, reviewer)
    assert steps(rationale) == [
        ("", "approved", None, rubric.pk),
        ("approved", "rejected", review.pk, None),
        ("rejected", "", review.pk, None),
        ("", "approved", None, rubric.pk),  # the rule's word stands again
    ]
    ages = [timezone.now() - row.at for row in DecisionLog.objects.order_by("id")]
    assert all(0 <= age.total_seconds() < 60 for age in ages) and ages == sorted(ages, reverse=True)


def test_no_way_of_writing_a_decision_passes_the_log_by(project, rationale):
    rubric = project.rubric
    Decision.objects.bulk_create(
        [Decision(rationale=rationale, project=project, outcome="approved", rule=rubric)],
        ignore_conflicts=True,
    )
    Decision.objects.update(outcome="rejected")
    Decision.objects.update(decided_at=timezone.now())  # changes nothing that was decided
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reviews_decision")
    assert [row[:2] for row in steps(rationale)] == [
        ("", "approved"),
        ("approved", "rejected"),
        ("rejected", ""),
    ]


def test_the_log_can_neither_be_changed_nor_deleted(project, rationale):
    apply_rule(project)
    assert "cannot be changed" in refused("UPDATE reviews_decisionlog SET outcome = 'rejected'")
    assert "cannot be changed" in refused("DELETE FROM reviews_decisionlog")
    with pytest.raises(DatabaseError), transaction.atomic():
        DecisionLog.objects.all().delete()
    assert steps(rationale)[0][:2] == ("", "approved")


def test_a_review_can_be_withdrawn_once_and_nothing_else(project, reviewer, rationale):
    review = say(project, reviewer, rationale, "approve", comment="fine")
    before = Review.objects.values().get()
    refused("UPDATE reviews_review SET comment = 'bad'")
    refused("UPDATE reviews_review SET verdict = 'reject', withdrawn_at = %s", timezone.now())
    refused("DELETE FROM reviews_review")
    assert Review.objects.values().get() == before
    undo(project, reviewer)
    refused("UPDATE reviews_review SET withdrawn_at = NULL")
    refused("UPDATE reviews_review SET withdrawn_at = %s", timezone.now())
    assert Review.objects.get().withdrawn_at is not None and review.pk


def test_decisions_from_before_the_log_are_taken_over(project, rationale):
    names = list(audit_triggers.sqlite_triggers() if connection.vendor == "sqlite" else ())
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER {name}")
        for name in () if names else audit_triggers.postgresql_triggers():
            table = "reviews_decision" if name == "decision_logged" else None
            if table:
                cursor.execute(f"DROP TRIGGER {name} ON {table}")
    apply_rule(project)
    assert steps(rationale) == []
    audit_triggers.create(connection)
    audit_triggers.create(connection)
    assert [row[:2] for row in steps(rationale)] == [("", "approved")]


@pytest.mark.django_db(transaction=True)
def test_the_triggers_stand_after_tables_were_made_anew():
    assert set(triggers_of(connection)) >= set(
        audit_triggers.sqlite_triggers()
        if connection.vendor == "sqlite"
        else audit_triggers.postgresql_triggers()
    )
    audit_triggers.drop(connection)
    audit_triggers.create(connection)
    with connection.schema_editor() as editor:
        field = Review._meta.get_field("comment")
        if connection.vendor == "sqlite":
            audit_triggers.drop(connection)
            editor._remake_table(Review, alter_fields=[(field, field)])
    audit_triggers.create(connection)
    assert "review_stays" in triggers_of(connection)


def told(client, rationale):
    """The lines of the rationale's history on its question's page."""
    page = client.get(f"/projects/eggs/questions/{rationale.question_id}/").content.decode()
    part = page.split(f'id="rationale-{rationale.pk}"')[1].split("</article>")[0]
    lines = part.split('class="history"')[1].split("<li>")[1:]
    bare = (" ".join(re.sub(r"<(?!/?s>)[^>]+>", " ", line).split()) for line in lines)
    return [re.sub(r"^\d+ \w+ \d\d:\d\d UTC ", "", line) for line in bare]


def test_the_page_tells_the_life_of_a_rationale_from_its_birth(
    project, reviewer, admin_user, rationale, admin_client
):
    apply_rule(project)
    say(project, reviewer, rationale, "reject", reasons=["unclear"], comment="why <so>?")
    undo(project, reviewer)
    say(project, reviewer, rationale, "edit", edited_text="Answer: 3")
    lines = told(admin_client, rationale)
    assert [line for line in lines if not line.startswith(("written", "scored"))] == [
        "approved by the rule, rubric 1",
        "<s>rejected by rudi</s> unclear, why &lt;so&gt;?",
        "taken back by rudi",
        "approved by the rule, rubric 1",
        "edited and approved by rudi",
    ]
    edit = rationale.edits.get()
    assert told(admin_client, edit) == [
        "edited by rudi from rationale A",
        "approved with the edit by rudi",
    ]


def test_agreement_of_several_is_told_and_before_it_nobody_elses_word(
    project, reviewer, admin_user, rationale, admin_client, reviewer_client
):
    set_overlap(project, 2)
    say(project, admin_user, rationale, "approve")
    assert not [line for line in told(reviewer_client, rationale) if "approved" in line]
    assert "approved by ada" in told(admin_client, rationale)
    say(project, reviewer, rationale, "approve", comment="yes")
    for client in (admin_client, reviewer_client):
        assert told(client, rationale)[-3:] == [
            "approved by ada",
            "approved by rudi yes",
            "approved: 2 people said the same",
        ]


def test_nothing_that_was_said_can_be_deleted_with_what_it_stands_on(
    project, reviewer, admin_user, rationale
):
    """Undo and withdrawal are the only deletions that pages offer; by code or SQL there is none."""
    say(project, reviewer, rationale, "approve")
    for thing in (rationale, rationale.question, project, reviewer):
        with pytest.raises(DatabaseError), transaction.atomic():
            thing.delete()
    for table in ("rationales_rationale", "projects_project", "projects_user"):
        if connection.vendor == "postgresql":  # which else looks at foreign keys at the commit
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            refused(f"DELETE FROM {table}")
    assert Decision.objects.filter(rationale=rationale).exists() and Review.objects.exists()
