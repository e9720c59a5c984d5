"""Filters kept under a name: one's own, or for the whole project."""

import pytest
from django.urls import reverse

from curation.projects.models import SavedView

AT = reverse("rationales", args=["eggs"])
SAVE = reverse("rationales_save", args=["eggs"])


@pytest.fixture(autouse=True)
def rationales(make_questions, make_rationales):
    return make_rationales(make_questions(1)[0], ["right", "wrong"])


def names(client, address=AT):
    return [one.view.name for one in client.get(address).context["saved_views"]]


def drop(client, view):
    return client.post(reverse("view_drop", args=["eggs", view.pk]))


def test_a_view_keeps_filters_and_order_and_leads_back_to_them(reviewer_client, rationales):
    asked = {"answer": "wrong", "sort": "worst", "view": " bad  ones ", "after": "3"}
    there = reviewer_client.post(SAVE, asked)
    assert there.status_code == 302 and there.url == f"{AT}?answer=wrong&sort=worst"
    (shown,) = reviewer_client.get(there.url).context["saved_views"]
    assert (shown.view.name, shown.is_here, shown.may_drop) == ("bad ones", True, True)
    assert shown.address == there.url
    rows = reviewer_client.get(shown.address).context["page"].rows
    assert [row.pk for row in rows] == [rationales[1].pk]
    reviewer_client.post(SAVE, {"answer": "right", "view": "bad ones"})
    assert SavedView.objects.get().filters == {"answer": "right"}


def test_own_views_are_ones_own_and_shared_ones_everybodys(
    reviewer_client, admin_client, stranger_client
):
    reviewer_client.post(SAVE, {"answer": "wrong", "view": "mine"})
    reviewer_client.post(SAVE, {"answer": "wrong", "view": "ours", "shared": "on"})
    assert names(reviewer_client) == ["mine", "ours"] and names(admin_client) == ["ours"]
    mine, ours = SavedView.objects.order_by("name")
    assert stranger_client.post(SAVE, {"answer": "wrong", "view": "x"}).status_code == 404
    assert drop(stranger_client, ours).status_code == 404
    assert drop(admin_client, mine).status_code == 404
    assert drop(admin_client, ours).status_code == 302
    assert drop(reviewer_client, mine).status_code == 302
    assert not SavedView.objects.exists()


def test_a_reviewer_cannot_drop_what_somebody_else_shared(reviewer_client, admin_client):
    admin_client.post(SAVE, {"answer": "wrong", "view": "ours", "shared": "on"})
    assert drop(reviewer_client, SavedView.objects.get()).status_code == 404
    (shown,) = reviewer_client.get(AT).context["saved_views"]
    assert not shown.may_drop


@pytest.mark.parametrize(
    "given",
    [
        {"view": "x"},
        {"view": "", "answer": "wrong"},
        {"view": "x" * 61, "answer": "wrong"},
        {"view": "x", "score__overall__gte": "0"},
        {"view": "x", "answer": "wrong", "is_shared": "1"},
        {"view": "a\u0000b", "answer": "wrong"},
    ],
)
def test_a_view_without_sense_is_refused(given, reviewer_client):
    assert reviewer_client.post(SAVE, given).status_code == 400
    assert not SavedView.objects.exists()


def test_lists_of_questions_have_views_of_their_own(reviewer_client):
    place = reverse("questions", args=["eggs"])
    reviewer_client.post(reverse("questions_save", args=["eggs"]), {"q": "eggs", "view": "<b>"})
    assert names(reviewer_client, place) == ["<b>"] and names(reviewer_client) == []
    assert "<b></a>" not in reviewer_client.get(place).content.decode()


def test_where_people_review_blind_views_that_tell_teachers_apart_are_withheld(
    reviewer_client, admin_client, project, teacher
):
    by_teacher = {"teacher": teacher.pk, "view": "what Strong gets wrong", "shared": "on"}
    admin_client.post(SAVE, by_teacher)
    admin_client.post(SAVE, {"temperature": "0.7", "view": "hot", "shared": "on"})
    admin_client.post(SAVE, {"answer": "wrong", "view": "wrong ones", "shared": "on"})
    assert names(reviewer_client) == ["hot", "what Strong gets wrong", "wrong ones"]
    type(project).objects.filter(pk=project.pk).update(is_blind=True)
    page = reviewer_client.get(AT)
    told = page.content.decode()
    assert [one.view.name for one in page.context["saved_views"]] == ["wrong ones"]
    assert "what Strong" not in told
    assert "2 saved views that filter by teacher are hidden: people review blind here." in told
    assert (
        len(names(admin_client)) == 3 and "are hidden" not in admin_client.get(AT).content.decode()
    )
    refused = reviewer_client.post(SAVE, by_teacher)
    assert (
        refused.status_code == 400 and "which teacher wrote a rationale" in refused.content.decode()
    )
    assert reviewer_client.post(SAVE, {"answer": "right", "view": "good"}).status_code == 302
    assert SavedView.objects.count() == 4
