"""The pages on which an admin does something to many rationales at once."""

import re

import pytest
from django.urls import reverse

from curation.rationales.models import Rationale
from curation.reviews.models import BulkAction, Decision, Seat

NEW = reverse("bulk_new", args=["eggs"])


@pytest.fixture(autouse=True)
def rationales(make_questions, make_rationales):
    return [one for q in make_questions(3) for one in make_rationales(q, ["right", "wrong"])]


def fields(page):
    """What the page's form would send."""
    form = page.content.decode().split('class="sheet card stack"')[1]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_the_list_leads_to_a_preview_and_that_to_the_deed_and_back(admin_client, rationales):
    listed = admin_client.get(reverse("rationales", args=["eggs"]), {"answer": "wrong"})
    assert "With all that match" in listed.content.decode()
    page = admin_client.get(NEW, {"kind": "reject", "answer": "wrong"})
    shown = page.content.decode()
    assert "Reject 3 rationales" in shown and "answer: wrong" in shown
    sent = fields(page) | {"reasons": ["wrong_answer"], "comment": "all of <these>"}
    done = admin_client.post(NEW, sent)
    assert done.status_code == 302 and Decision.objects.filter(outcome="rejected").count() == 3
    again = admin_client.post(NEW, sent)
    assert again.url == done.url and BulkAction.objects.count() == 1
    page = admin_client.get(done.url).content.decode()
    assert "all of &lt;these&gt;" in page and "wrong answer" in page and ">Undo<" in page
    undone = admin_client.post(reverse("bulk_undo", args=["eggs", BulkAction.objects.get().pk]))
    assert undone.status_code == 302 and not Decision.objects.exists()
    assert "put back" in admin_client.get(done.url).content.decode()
    assert "undone" in admin_client.get(reverse("bulk_list", args=["eggs"])).content.decode()


def test_the_history_of_a_rationale_names_the_deed_and_its_undoing(admin_client, rationales):
    page = admin_client.get(NEW, {"kind": "approve", "answer": "right"})
    admin_client.post(NEW, fields(page) | {"comment": "looked at ten"})
    action = BulkAction.objects.get()
    place = reverse("question", args=["eggs", rationales[0].question_id])
    shown = admin_client.get(place).content.decode()
    assert f"approved by ada with many others, bulk action {action.pk}" in shown
    assert "looked at ten" in shown
    admin_client.post(reverse("bulk_undo", args=["eggs", action.pk]))
    shown = admin_client.get(place).content.decode()
    assert f"<s>approved by ada with many others, bulk action {action.pk}</s>" in shown
    assert f"undecided again: bulk action {action.pk} was undone by ada" in shown


def test_a_rejection_without_a_reason_is_said_in_its_place(admin_client):
    page = admin_client.get(NEW, {"kind": "reject"})
    answer = admin_client.post(NEW, fields(page) | {"comment": "because"})
    shown = answer.content.decode()
    assert answer.status_code == 400 and "at least one reason" in shown and "because" in shown
    assert not Decision.objects.exists()


def test_assigning_asks_to_whom(admin_client, reviewer):
    page = admin_client.get(NEW, {"kind": "assign"})
    assert admin_client.post(NEW, fields(page)).status_code == 400
    admin_client.post(NEW, fields(page) | {"person": reviewer.pk})
    assert Seat.objects.filter(assigned_to=reviewer).count() == 3


def test_an_admin_of_another_project_can_be_assigned_nothing(admin_client, stranger):
    page = admin_client.get(NEW, {"kind": "assign"})
    assert admin_client.post(NEW, fields(page) | {"person": stranger.pk}).status_code == 400
    assert not BulkAction.objects.exists()


def test_nothing_to_do_is_a_page_too(admin_client):
    shown = admin_client.get(NEW, {"kind": "approve", "q": "nowhere"}).content.decode()
    assert "Nothing would change" in shown and "<button class=" not in shown.split("<main")[1]


@pytest.mark.parametrize("query", ["kind=delete", "", "kind=approve&text__contains=a"])
def test_what_no_page_offers_is_refused(query, admin_client):
    assert admin_client.get(f"{NEW}?{query}").status_code == 400


def test_only_admins_see_and_do_it(reviewer_client, stranger_client, project, admin_user):
    action = BulkAction.objects.create(
        project=project, created_by=admin_user, kind="approve", filters={}, until=1, status="done"
    )
    shown = reviewer_client.get(reverse("rationales", args=["eggs"])).content.decode()
    assert "With all" not in shown
    for client, status in ((reviewer_client, 403), (stranger_client, 404)):
        for name in ("bulk_list", "bulk_new"):
            assert client.get(reverse(name, args=["eggs"])).status_code == status
        assert client.get(reverse("bulk_detail", args=["eggs", action.pk])).status_code == status
        assert client.post(NEW, {"kind": "approve", "newest": 9}).status_code == status
        for name in ("bulk_undo", "bulk_cancel", "bulk_resume"):
            assert client.post(reverse(name, args=["eggs", action.pk])).status_code == status
    assert not Decision.objects.exists()


def test_the_pages_take_few_queries(admin_client, django_assert_max_num_queries, rationales):
    page = admin_client.get(NEW, {"kind": "approve"})
    place = admin_client.post(NEW, fields(page)).url
    for address in (f"{NEW}?kind=approve", place, reverse("bulk_list", args=["eggs"])):
        with django_assert_max_num_queries(9):
            admin_client.get(address)
    assert Rationale.objects.count() == Decision.objects.count() == len(rationales)
