"""Webhooks: told in the transaction that decides, sent until they arrive or are given up, shown on a
page."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from curation.errors import Conflict
from curation.projects.models import Project, User
from curation.questions.models import Question
from curation.reviews.adjudication.adjudicate import adjudicate, undo_adjudication
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision
from curation.reviews.queue.claims import claim, next_item
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.reviews.submission.undo import undo
from curation.webhooks import sending
from curation.webhooks.models import Webhook, WebhookDelivery
from curation.webhooks.services import add_hook, send_again, send_test, switch
from tests.workers.generation.generation_server import Reply, Server
from workers.requeue import put_back
from workers.webhooks import post, tasks
from workers.webhooks.tasks import send_webhooks

Make = Callable[..., list[Any]]


@pytest.fixture
def question(make_questions: Make, make_rationales: Make) -> Question:
    (made,) = make_questions(1)
    make_rationales(made, ["right", "wrong"])
    return made


@pytest.fixture
def hook(project: Project, admin_user: User) -> Webhook:
    made = add_hook(project, admin_user, "https://example.org/told")
    project.refresh_from_db()
    return made


@pytest.fixture
def loopback(settings: Any) -> None:
    """The operator allowed this machine, where the tests' servers are."""
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]


def told(hook: Webhook) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in hook.deliveries.order_by("id")]


def says(question: Question, verdict: str = "approve") -> list[ReviewInput]:
    reasons = ["wrong_step"] if verdict == "reject" else []
    rationales = question.rationales.filter(source="teacher").order_by("id")
    return [ReviewInput(rationale.pk, verdict, reasons) for rationale in rationales]


def test_a_decision_is_told_with_its_ids_and_no_text(
    project: Project, question: Question, reviewer: User, hook: Webhook
) -> None:
    seat = next_item(project, reviewer)
    reviews = submit(project, reviewer, seat.item_id, says(question))
    (event,) = told(hook)
    assert event["type"] == "decisions.made" and event["data"]["project"] == "eggs"
    first = event["data"]["decisions"][0]
    assert first == {
        "rationale": reviews[0].rationale_id,
        "question": question.pk,
        "outcome": "approved",
        "review": reviews[0].pk,
        "reviewer": "rudi",
        "rubric": None,
        "decided_at": Decision.objects.get(review=reviews[0]).decided_at.isoformat(),
    }
    assert len(event["data"]["decisions"]) == 2 and "eggs and buys" not in str(event)


def test_nothing_is_told_of_a_decision_that_did_not_come_through(
    project: Project, question: Question, reviewer: User, hook: Webhook
) -> None:
    seat = next_item(project, reviewer)
    with pytest.raises(RuntimeError, match="power"), transaction.atomic():
        submit(project, reviewer, seat.item_id, says(question))
        assert hook.deliveries.count() == 1
        raise RuntimeError("the power went")
    assert not Decision.objects.exists() and not hook.deliveries.exists()


def test_what_is_taken_back_is_told_as_well(
    project: Project, question: Question, reviewer: User, hook: Webhook
) -> None:
    seat = next_item(project, reviewer)
    submit(project, reviewer, seat.item_id, says(question))
    undo(project, reviewer)
    _, withdrawn = told(hook)
    assert withdrawn["type"] == "decisions.withdrawn"
    pairs = [{"rationale": s.rationale_id, "question": question.pk} for s in says(question)]
    assert withdrawn["data"]["decisions"] == pairs


def test_what_the_rule_says_again_after_an_undo_is_told(
    project: Project, question: Question, reviewer: User, hook: Webhook
) -> None:
    apply_rule(project)
    seat = next_item(project, reviewer)
    submit(project, reviewer, seat.item_id, says(question, "reject"))
    undo(project, reviewer)
    kinds = [event["type"].removeprefix("decisions.") for event in told(hook)]
    assert kinds == ["made", "made", "withdrawn", "made"]
    (again,) = told(hook)[-1]["data"]["decisions"]
    assert (again["outcome"], again["rubric"]) == ("approved", project.rubric.version)


def test_an_edit_tells_of_both_rationales(
    project: Project, question: Question, reviewer: User, hook: Webhook
) -> None:
    seat = next_item(project, reviewer)
    first = says(question)[0].rationale_id
    (review,) = submit(
        project, reviewer, seat.item_id, [ReviewInput(first, "edit", edited_text="3.\nAnswer: 3")]
    )
    outcomes = {d["rationale"]: d["outcome"] for d in told(hook)[0]["data"]["decisions"]}
    assert outcomes == {first: "superseded", review.edited_id: "approved"}


def test_the_rule_and_the_last_word_of_an_admin_are_told(
    project: Project, question: Question, reviewer: User, admin_user: User, hook: Webhook
) -> None:
    set_overlap(project, 2)
    seat = next_item(project, reviewer)
    submit(project, reviewer, seat.item_id, says(question))
    assert told(hook) == []  # one of two has spoken
    other = claim(project, admin_user, question)
    submit(project, admin_user, other.item_id, says(question, "reject"))
    assert told(hook) == []
    adjudicate(project, admin_user, other.item_id, says(question, "reject"))
    undo_adjudication(project, admin_user, other.item_id)
    kinds = [event["type"] for event in told(hook)]
    assert kinds == ["decisions.made", "decisions.withdrawn"]
    assert apply_rule(project) == 1
    (decision,) = told(hook)[-1]["data"]["decisions"]
    assert (decision["rubric"], decision["review"], decision["outcome"]) == (1, None, "approved")


def test_a_project_without_webhooks_asks_and_writes_nothing(
    project: Project,
    question: Question,
    reviewer: User,
    hook: Webhook,
    django_capture_on_commit_callbacks: Any,
) -> None:
    switch(hook, on=False)
    project.refresh_from_db()
    assert not project.has_webhooks
    seat = next_item(project, reviewer)
    submit(project, reviewer, seat.item_id, says(question))
    assert not WebhookDelivery.objects.exists()


def test_another_projects_webhook_hears_nothing(
    project: Project, question: Question, reviewer: User, stranger: User, hook: Webhook
) -> None:  # A1
    other = Project.objects.get(slug="elsewhere")
    theirs = add_hook(other, stranger, "https://example.org/told")
    seat = next_item(project, reviewer)
    submit(project, reviewer, seat.item_id, says(question))
    assert hook.deliveries.count() == 1 and not theirs.deliveries.exists()


def receiving(project: Project, user: User, server: Server) -> Webhook:
    return add_hook(project, user, f"http://127.0.0.1:{server.port}/told")


def later(**ago: int) -> None:
    """So much time passes."""
    WebhookDelivery.objects.filter(status="waiting").update(
        next_try_at=timezone.now() - timedelta(**ago)
    )
    Webhook.objects.exclude(hold_until=None).update(hold_until=timezone.now())


def test_a_worker_sends_what_waits_signed_with_the_secret(
    project: Project, admin_user: User, loopback: None
) -> None:
    with Server(lambda n, r: Reply(200)) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        assert send_webhooks() == 1 and send_webhooks() == 0
    (got,) = server.received
    assert got.raw.decode() == hook.deliveries.get().body
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    content = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.raw
    wanted = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert got.headers["webhook-signature"] == f"v1,{wanted}" and len(key) == 32
    row = hook.deliveries.get()
    assert (row.status, row.response_status, row.attempts) == ("sent", 200, 1)


def test_an_address_that_fails_is_tried_again_with_the_same_id(
    project: Project, admin_user: User, loopback: None
) -> None:
    with Server(lambda n, r: Reply(200 if n else 500, b"no disk")) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        assert send_webhooks() == 0
        row = hook.deliveries.get()
        assert (row.status, row.attempts, row.response_status) == ("waiting", 1, 500)
        assert "no disk" in row.error
        wait = (row.next_try_at - timezone.now()).total_seconds()
        assert 2 < wait <= sending.WAITS[0] * 1.2
        assert send_webhooks() == 0 and len(server.received) == 1  # not before its time
        later(seconds=1)
        assert send_webhooks() == 1
    ids = {one.headers["webhook-id"] for one in server.received}
    assert len(server.received) == 2 and ids == {row.event_id}
    hook.refresh_from_db()
    assert hook.failures == 0 and hook.deliveries.get().status == "sent"


def test_an_ill_address_keeps_nobody_elses_events_back(
    project: Project, admin_user: User, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SECONDS", 0.5)
    with Server(lambda n, r: Reply(hang=20)) as ill, Server(lambda n, r: Reply(200)) as well:
        bad, good = (receiving(project, admin_user, one) for one in (ill, well))
        for _ in range(25):
            send_test(bad)
        for _ in range(25):
            send_test(good)
        send_webhooks()
        assert good.deliveries.filter(status="sent").count() == 25
        # The first batch found it ill; until its wait is over, nothing more goes there, then one.
        tried = bad.deliveries.filter(attempts__gt=0).count()
        assert tried <= 10
        bad.refresh_from_db()
        assert bad.failures == 1
        later(seconds=1)
        send_webhooks()
        assert bad.deliveries.filter(status="waiting").count() == 25
        attempts = sum(bad.deliveries.values_list("attempts", flat=True))
        assert attempts == tried + 1
    assert not sending.any_due()


def test_a_delivery_is_given_up_after_so_many_attempts_with_its_reason(
    project: Project, admin_user: User, loopback: None
) -> None:
    with Server(lambda n, r: Reply(503)) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        for _ in range(sending.MAX_ATTEMPTS + 3):
            send_webhooks()
            later(seconds=1)
        row = hook.deliveries.get()
        assert (row.status, row.attempts) == ("failed", sending.MAX_ATTEMPTS)
        assert row.error == "It answered 503." and len(server.received) == sending.MAX_ATTEMPTS
        server.behave = lambda n, r: Reply(200)
        send_again(hook, row.pk)
        assert send_webhooks() == 1
    with pytest.raises(Conflict):
        WebhookDelivery.objects.update(status="waiting")
        send_again(hook, row.pk)


def test_an_address_that_is_gone_switches_its_webhook_off(
    project: Project, admin_user: User, loopback: None
) -> None:
    with Server(lambda n, r: Reply(410)) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        send_webhooks()
    hook.refresh_from_db()
    assert not hook.is_active and "410" in hook.off_reason
    project.refresh_from_db()
    assert not project.has_webhooks
    assert hook.deliveries.get().status == "failed"
    with pytest.raises(Conflict, match="off"):
        send_test(hook)


def test_a_private_address_is_refused_unless_the_operator_allowed_it(
    project: Project, admin_user: User
) -> None:  # C2
    with Server(lambda n, r: Reply(200)) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        send_webhooks()
    assert server.received == []
    assert "not a public address" in hook.deliveries.get().error


def test_a_worker_that_died_in_the_middle_costs_time_only(
    project: Project, admin_user: User, loopback: None
) -> None:  # E3
    with Server(lambda n, r: Reply(200)) as server:
        hook = receiving(project, admin_user, server)
        send_test(hook)
        (mine,) = sending.take_due(10)  # and nothing more is heard of it
        assert sending.take_due(10) == [] and send_webhooks() == 0
        later(seconds=1)
        assert send_webhooks() == 1
    sending.note(mine, 500, "late")  # it comes back, and changes nothing
    assert hook.deliveries.get().status == "sent"


def test_the_beat_wakes_and_tidies(
    project: Project,
    admin_user: User,
    hook: Webhook,
    wake_ups: Callable[[str], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    send_test(hook)
    with django_capture_on_commit_callbacks(execute=True):
        put_back()
    assert wake_ups("quick") == 1
    later(days=3)
    put_back()
    row = hook.deliveries.get()
    assert row.status == "failed" and "2 days" in row.error
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    put_back()
    assert not WebhookDelivery.objects.exists()


def test_a_long_queue_for_one_address_leaves_the_others_their_share(
    project: Project, admin_user: User, loopback: None
) -> None:
    many = add_hook(project, admin_user, "https://example.org/many")
    few = add_hook(project, admin_user, "https://example.org/few")
    for _ in range(30):
        send_test(many)
    send_test(few)
    taken = sending.take_due(10)
    assert [one.hook_id for one in taken].count(few.pk) == 1 and len(taken) == 6


def test_a_slow_address_keeps_nobody_waiting_but_itself(
    project: Project, admin_user: User, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SLOW", 0.5)
    others_came, at_a_time = threading.Event(), []

    def hold(n: int, r: Any) -> Reply:
        """Answers once all that is for the other address has come there, and slowly."""
        if n >= sending.EACH:
            at_a_time.append(slow.in_flight)
        return Reply(200 if others_came.wait(8) else 500, hang=0.6)

    def at_once(n: int, r: Any) -> Reply:
        if n == 59:
            others_came.set()
        return Reply(200)

    with Server(hold) as slow, Server(at_once) as fast:
        waits, goes = (receiving(project, admin_user, one) for one in (slow, fast))
        for _ in range(10):
            send_test(waits)
        for _ in range(60):
            send_test(goes)
        assert send_webhooks() == 70
        # It got its share at first, and one at a time since it was known to be slow.
        assert slow.most_in_flight == sending.EACH and at_a_time == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_what_comes_while_a_slow_one_is_on_its_way_is_sent_by_the_same_worker(
    project: Project, admin_user: User, loopback: None
) -> None:
    other_came, held = threading.Event(), []

    def hold(n: int, r: Any) -> Reply:
        held.append(other_came.wait(9))
        return Reply(200)

    def at_once(n: int, r: Any) -> Reply:
        other_came.set()
        return Reply(200)

    with Server(hold) as slow, Server(at_once) as fast:
        waits, goes = (receiving(project, admin_user, one) for one in (slow, fast))
        send_test(waits)
        worker = threading.Thread(target=lambda: (send_webhooks(), connection.close()))
        worker.start()
        while not slow.received:
            time.sleep(0.01)
        send_test(goes)
        assert send_webhooks() == 0  # the one at work is told to look again
        worker.join(30)
        assert held == [True] and len(fast.received) == 1
        assert {one.status for one in WebhookDelivery.objects.all()} == {"sent"}
