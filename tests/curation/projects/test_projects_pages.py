"""Signing in, new projects, settings, members and the rubric by page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.projects.models import Membership, Project, Rubric, User

TABS = ("settings", "settings_members", "settings_rubric")
GENERAL = {"name": "Eggs", "description": "", "guidelines": "", "student": "demo:student"}
RUBRIC = {
    "right_answer": "on",
    "min_validity": "0.6",
    "min_conciseness": "0.4",
    "min_structure": "0.5",
    "max_redundancy": "0.8",
}


def address(name: str, *more: Any) -> str:
    return reverse(name, args=["eggs", *more])


def sign_in(client: Client, name: str, word: str, **headers: str) -> Any:
    form = {"username": name, "password": word}
    return client.post(reverse("sign_in"), form, **headers)


def test_a_stranger_finds_no_settings(project: Project, stranger_client: Client) -> None:
    for name in TABS:
        assert stranger_client.get(address(name)).status_code == 404
        assert stranger_client.post(address(name), GENERAL).status_code == 404
    removal = address("member_remove", project.memberships.first().user_id)
    assert stranger_client.post(removal).status_code == 404
    assert project.memberships.count() == 2


def test_a_reviewer_may_not_open_or_change_settings(
    project: Project, reviewer: User, reviewer_client: Client
) -> None:
    for name in TABS:
        answer = reviewer_client.get(address(name))
        assert answer.status_code == 403
        assert "Only an admin" in answer.content.decode()
    promoted = {"username": reviewer.username, "role": "admin"}
    assert reviewer_client.post(address("settings_members"), promoted).status_code == 403
    assert reviewer_client.post(address("settings_rubric"), RUBRIC).status_code == 403
    removal = address("member_remove", reviewer.pk)
    assert reviewer_client.post(removal).status_code == 403
    assert project.memberships.get(user=reviewer).role == "reviewer"


def test_a_refusal_keeps_the_way_back_to_the_project(
    project: Project, reviewer_client: Client
) -> None:
    html = reviewer_client.get(address("settings")).content.decode()
    assert reverse("dashboard", args=["eggs"]) in html


def test_a_person_signs_in_and_out(admin_user: User, client: Client) -> None:
    assert client.get("/").headers["Location"].startswith(reverse("sign_in"))
    assert sign_in(client, "ada", "a long enough word").headers["Location"] == "/"
    assert client.get(reverse("sign_in")).status_code == 302  # already in
    assert client.get(reverse("sign_out")).status_code == 405
    client.post(reverse("sign_out"))
    assert client.get("/").status_code == 302


def test_signing_in_never_leads_to_another_site(admin_user: User, client: Client) -> None:
    form = {"username": "ada", "password": "a long enough word", "next": "https://evil.example/"}
    assert client.post(reverse("sign_in"), form).headers["Location"] == "/"


def test_a_wrong_password_says_nothing_of_who_exists(admin_user: User, client: Client) -> None:
    known = sign_in(client, "ada", "wrong").content.decode()
    unknown = sign_in(client, "bob", "wrong").content.decode()
    assert "do not belong together" in known and "do not belong together" in unknown


def test_forms_need_their_token(project: Project, admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(address("settings"), GENERAL).status_code == 403
    assert (
        client.post(address("settings"), GENERAL, headers={"HX-Request": "true"}).status_code == 403
    )


def test_a_new_project_belongs_to_who_made_it(admin_user: User, admin_client: Client) -> None:
    answer = admin_client.post(reverse("project_new"), {"name": "Second Grade", "student": "a/b"})
    assert answer.headers["Location"] == "/projects/second-grade/"
    made = Project.objects.get(slug="second-grade")
    assert made.memberships.get().user == admin_user and made.rubric.version == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": ""}, "required"),
        ({"name": "Eggs again", "slug": "eggs"}, "is taken"),
        ({"name": "x", "slug": "new"}, "is taken"),
        ({"name": "x", "slug": "../up"}, "Use a–z"),
        ({"name": "漢字"}, "give a slug"),
        ({"name": "x", "student": "-rf"}, "cannot be a student"),
        ({"name": "x", "student": "a;b"}, "cannot be a student"),
        ({"name": "x", "student": "../../etc"}, "cannot be a student"),
        ({"name": "x", "student": "$(id)"}, "cannot be a student"),
    ],
)
def test_a_project_that_cannot_be_is_told_in_the_form(
    project: Project, admin_client: Client, form: dict[str, str], words: str
) -> None:
    answer = admin_client.post(reverse("project_new"), form)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Project.objects.count() == 1


def test_settings_are_saved_and_other_fields_have_no_effect(
    project: Project, admin_client: Client
) -> None:
    extra = {"is_demo": "on", "slug": "stolen", "rule_approves": "on", "name": "More eggs"}
    assert admin_client.post(address("settings"), GENERAL | extra).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.rule_approves) == ("More eggs", True)
    assert (project.slug, project.is_demo) == ("eggs", False)


def test_a_refused_setting_changes_nothing_and_stays_typed(
    project: Project, admin_client: Client
) -> None:
    typed = GENERAL | {"name": "Other", "student": "a\\b", "guidelines": "long typed words"}
    answer = admin_client.post(address("settings"), typed)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert "cannot be a student" in html and "long typed words" in html
    project.refresh_from_db()
    assert (project.name, project.guidelines) == ("Eggs", "")


def test_an_admin_lets_people_in_changes_their_role_and_removes_them(
    project: Project, stranger: User, stranger_client: Client, admin_client: Client
) -> None:
    members = address("settings_members")
    admin_client.post(members, {"username": stranger.username, "role": "reviewer"})
    assert stranger_client.get(reverse("dashboard", args=["eggs"])).status_code == 200
    assert stranger_client.get(members).status_code == 403
    admin_client.post(members, {"username": stranger.username, "role": "admin"})
    assert stranger_client.get(members).status_code == 200
    admin_client.post(address("member_remove", stranger.pk))
    assert stranger_client.get(reverse("dashboard", args=["eggs"])).status_code == 404


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"username": "nobody", "role": "reviewer"}, "Nobody here signs in"),
        ({"username": "rudi", "role": "owner"}, "not one of the available choices"),
    ],
)
def test_a_member_that_cannot_be_is_told_in_the_form(
    project: Project, admin_client: Client, form: dict[str, str], words: str
) -> None:
    answer = admin_client.post(address("settings_members"), form)
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_an_account_that_is_switched_off_becomes_no_member(
    project: Project, stranger: User, admin_client: Client
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    answer = admin_client.post(
        address("settings_members"), {"username": stranger.username, "role": "reviewer"}
    )
    assert answer.status_code == 400 and "Nobody here signs in" in answer.content.decode()
    assert not project.memberships.filter(user=stranger).exists()


def test_a_project_always_keeps_an_admin(
    project: Project, admin_user: User, admin_client: Client
) -> None:
    demoted = {"username": admin_user.username, "role": "reviewer"}
    assert (
        "needs an admin" in admin_client.post(address("settings_members"), demoted).content.decode()
    )
    assert admin_client.post(address("member_remove", admin_user.pk)).status_code == 409
    assert project.memberships.get(user=admin_user).role == "admin"


def test_one_of_two_admins_may_leave(
    project: Project, reviewer: User, admin_user: User, admin_client: Client
) -> None:
    admin_client.post(address("settings_members"), {"username": "rudi", "role": "admin"})
    left = admin_client.post(address("member_remove", admin_user.pk))
    assert left.headers["Location"] == "/"
    assert Membership.objects.get(project=project).user == reviewer


def test_a_changed_rubric_is_a_new_version_and_the_same_one_is_not(
    project: Project, admin_client: Client
) -> None:
    admin_client.post(address("settings_rubric"), RUBRIC)
    assert project.rubric.version == 2 and project.rubric.min_validity == 0.6
    answer = admin_client.post(address("settings_rubric"), RUBRIC, follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert Rubric.objects.filter(project=project).count() == 2


@pytest.mark.parametrize("value", ["2", "-0.1", "nan", "inf", "x", ""])
def test_a_threshold_outside_0_to_1_is_told(
    project: Project, admin_client: Client, value: str
) -> None:
    answer = admin_client.post(address("settings_rubric"), RUBRIC | {"min_validity": value})
    assert answer.status_code == 400
    assert project.rubric.version == 1


def test_settings_take_few_queries(
    project: Project, admin_client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for name in TABS:
        with django_assert_max_num_queries(8):
            assert admin_client.get(address(name)).status_code == 200


def test_every_page_forbids_scripts_and_frames_from_elsewhere(admin_client: Client) -> None:
    answer = admin_client.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";" and "frame-ancestors 'none'" in policy
    html = answer.content.decode()
    assert " style=" not in html and " onclick=" not in html


def test_the_health_check_needs_no_tls_and_everything_else_does(settings: Any, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 301


@pytest.mark.parametrize(
    ("page", "room"),
    [
        ("dashboard", "Dashboard"),
        ("questions", "Questions"),
        ("rationales", "Questions"),
        ("meaning", "Questions"),
        ("bulk_list", "Questions"),
        ("deletion_list", "Questions"),
        ("runs", "Runs"),
        ("teachers", "Runs"),
        ("leaderboard", "Runs"),
        ("review", "Review"),
        ("my_reviews", "Review"),
        ("agreement", "Review"),
        ("progress", "Review"),
        ("flags", "Review"),
        ("adjudication", "Review"),
        ("datasets", "Datasets"),
        ("trainings", "Training"),
        ("evaluations", "Evaluations"),
        ("settings_rubric", "Settings"),
        ("settings_review", "Settings"),
    ],
)
def test_the_navigation_says_where_one_is(
    page: str, room: str, project: Project, admin_client: Client
) -> None:
    html = admin_client.get(reverse(page, args=["eggs"])).content.decode()
    nav = html[html.index("<nav") : html.index("</nav>")]
    assert re.findall(r'aria-current="page">(\w+)<', nav) == [room]
