"""The list of rationales: filters, orders, pages by key, and what a reviewer does not see in it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from curation.projects.models import Project
from curation.rationales.models import Rationale, Score
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.queue.claims import claim
from curation.reviews.queue.controls import make_control
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from curation.web import rate_limit

AT = reverse("rationales", args=["eggs"])


def shown(client, query=""):
    answer = client.get(f"{AT}?{query}")
    assert answer.status_code == 200, answer.content
    return [row.pk for row in answer.context["page"].rows]


def say(project, user, rationale, verdict="approve", **fields):
    seat = claim(project, user, rationale.question)
    return submit(project, user, seat.item_id, [ReviewInput(rationale.pk, verdict, **fields)])[0]


@pytest.fixture
def rationales(make_questions, make_rationales):
    return [*make_rationales(make_questions(1)[0], ["right", "wrong", "There are 3 ducks."])]


def test_each_filter_keeps_what_it_names(
    project, rationales, make_questions, make_rationales, reviewer, admin_user, admin_client
):
    right, wrong, ducks = rationales
    Rationale.objects.filter(pk=wrong.pk).update(temperature=0.7)
    Rationale.objects.filter(pk=ducks.pk).update(
        created_at=ducks.created_at - timedelta(days=3), temperature=None
    )
    Score.objects.filter(pk=right.pk).update(validity=0.9)
    Score.objects.filter(pk__in=[wrong.pk, ducks.pk]).update(validity=0.3)
    (other,) = make_rationales(make_questions(1)[0], ["right"])
    say(project, reviewer, other)
    day = f"{right.created_at:%Y-%m-%d}"
    before = f"{ducks.created_at - timedelta(days=3):%Y-%m-%d}"
    for query, kept in {
        "temperature=0.7": {wrong},
        "temperature=0.5": {right, other},
        "valid_from=50&valid_to=95": {right, other}
        if Score.objects.get(pk=other.pk).validity <= 0.95
        else {right},
        "valid_to=40": {wrong, ducks},
        f"since={day}": {right, wrong, other},
        f"until={before}": {ducks},
        f"reviewer={reviewer.pk}": {other},
        f"reviewer={admin_user.pk}": set(),
        "decision=approved": {other},
        "q=duck*": {ducks},
        "q=-duck* 3": set(Rationale.objects.filter(text__contains=" 3").exclude(pk=ducks.pk)),
        "flag=no_reasoning": set(
            Rationale.objects.filter(score_flags__code="no_reasoning").distinct()
        ),
    }.items():
        assert set(shown(admin_client, query)) == {one.pk for one in kept}, query


@pytest.mark.parametrize(
    "query",
    [
        "temperature=hot",
        "temperature=1e999",
        "since=yesterday",
        "until=9999-99-99",
        "valid_from=-1",
        "flag=' OR 1",
        "reviewer=ada",
        "sort=text",
        "sort=best&after=nan_3",
        "sort=best&after=x",
        "after=1_2",
        "text__regex=a",
        "decision__review__reviewer__password=a",
    ],
)
def test_what_no_list_offers_is_refused(query, project, admin_client):
    assert admin_client.get(f"{AT}?{query}").status_code == 400


def test_flags_of_steps_and_rationales_are_offered_and_follow_a_rescoring(
    project, make_questions, make_rationales, admin_client
):
    (rationale,) = make_rationales(make_questions(1)[0], ["16 - 3 = 12 eggs.\nAnswer: 12"])
    assert [one.code for one in rationale.score_flags.all()] == ["arithmetic"]
    assert shown(admin_client, "flag=arithmetic") == [rationale.pk]
    assert "arithmetic" in admin_client.get(AT).context["facets"]["codes"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "best", "worst"])
def test_every_order_goes_through_all_rationales_once(
    sort, make_questions, make_rationales, admin_client, monkeypatch
):
    monkeypatch.setattr("curation.rationales.views.rationales.PAGE", 3)
    for question in make_questions(4):
        make_rationales(question, ["right", "wrong"])
    Score.objects.filter(rationale__sample=0).update(overall=0.75)  # the same for several
    seen, query = [], f"sort={sort}"
    while query:
        page = admin_client.get(f"{AT}?{query}").context["page"]
        seen += page.rows
        query = page.query
    assert len(seen) == len({row.pk for row in seen}) == 8
    keys = {
        "newest": [-row.pk for row in seen],
        "oldest": [row.pk for row in seen],
        "best": [(-row.score.overall, -row.pk) for row in seen],
        "worst": [(row.score.overall, row.pk) for row in seen],
    }[sort]
    assert keys == sorted(keys)


def test_the_best_hit_comes_first_and_its_words_are_marked(rationales, admin_client):
    answer = admin_client.get(f"{AT}?q=ducks&sort=fit")
    assert [row.pk for row in answer.context["page"].rows] == [rationales[2].pk]
    assert "There are 3 <mark>ducks</mark>." in answer.content.decode()


def test_what_a_model_wrote_is_text_also_around_a_hit(
    make_questions, make_rationales, admin_client
):
    make_rationales(make_questions(1)[0], ["<img src=x onerror=alert(1)> duck <b>"])
    page = admin_client.get(f"{AT}?q=img+duck").content.decode()
    assert "&lt;<mark>img</mark> src=x" in page and "<img" not in page


def test_signs_alone_are_explained(rationales, admin_client):
    assert "no letter and no digit" in admin_client.get(f"{AT}?q=%2B%3D").content.decode()


def test_a_blind_project_hides_teachers_from_reviewers_alone(
    project, rationales, teacher, reviewer_client, admin_client
):
    Project.objects.filter(pk=project.pk).update(is_blind=True)
    page = reviewer_client.get(AT).content.decode()
    assert f">{teacher.name}<" not in page and "hidden" in page
    assert reviewer_client.get(f"{AT}?teacher={teacher.pk}").status_code == 400
    assert reviewer_client.get(f"{AT}?temperature=0.5").status_code == 400
    assert f">{teacher.name}<" in admin_client.get(AT).content.decode()


def test_a_control_looks_to_reviewers_like_any_question_that_waits(
    project, rationales, make_questions, make_rationales, admin_user, reviewer_client, admin_client
):
    make_rationales(make_questions(1)[0], ["right"])  # one that does wait
    control = rationales[0].question
    seat = claim(project, admin_user, control)
    approve, *others = rationales
    says = [
        ReviewInput(approve.pk, "approve"),
        *(ReviewInput(rationale.pk, "reject", reasons=["unclear"]) for rationale in others),
        ReviewInput(None, "approve", edited_text="Written by an admin."),
    ]
    submit(project, admin_user, seat.item_id, says)
    make_control(project, admin_user, control, "")
    everything = set(shown(reviewer_client))
    assert set(shown(reviewer_client, "decision=none")) == everything
    for decision in ("approved", "rejected"):
        assert shown(reviewer_client, f"decision={decision}") == []
        assert shown(admin_client, f"decision={decision}") != []
    assert not Rationale.objects.filter(pk__in=everything, source="person").exists()
    page = reviewer_client.get(AT).content.decode()
    assert 'class="chip bad">rejected' not in page and "Written by an admin" not in page

    questions = reverse("questions", args=["eggs"])

    def listed(client, state=""):
        answer = client.get(questions, {"state": state} if state else {})
        return {
            row.pk: (row.queue_status, row.approved_count) for row in answer.context["page"].rows
        }

    assert set(listed(reviewer_client).values()) == {("waiting", 0)}
    assert listed(reviewer_client, "waiting") == listed(reviewer_client)
    assert listed(reviewer_client, "approved") == listed(reviewer_client, "done") == {}
    assert listed(admin_client, "approved") == {control.pk: ("control", 2)}
    assert ">control<" in admin_client.get(questions).content.decode()
    life = reviewer_client.get(reverse("question", args=["eggs", control.pk])).content.decode()
    assert "Written by an admin" not in life and "approved by" not in life


def test_a_reviewer_does_not_find_anothers_pending_edit(
    project, rationales, admin_user, reviewer, reviewer_client, admin_client
):
    set_overlap(project, 2)
    say(project, admin_user, rationales[0], "edit", edited_text="An edit of ducks.")
    assert shown(admin_client, "q=edit") != [] and shown(reviewer_client, "q=edit") == []


def test_the_list_takes_as_many_queries_for_a_row_as_for_fifty(
    project,
    make_questions,
    make_rationales,
    admin_client,
    django_assert_num_queries,
    django_assert_max_num_queries,
):
    query = "q=eggs&answer=right&sort=best&since=2020-01-01"
    (question,) = make_questions(1)
    make_rationales(question, ["right"])
    apply_rule(project)
    admin_client.get(f"{AT}?{query}")
    with django_assert_max_num_queries(12) as few:
        admin_client.get(f"{AT}?{query}")
    for one in make_questions(20):
        make_rationales(one, ["right"] * 2)
    with django_assert_num_queries(len(few)) as many:
        admin_client.get(f"{AT}?{query}")
    assert not any("detail" in one["sql"] for one in many.captured_queries)


def test_searches_of_one_person_are_limited(rationales, reviewer_client, admin_client, monkeypatch):
    monkeypatch.setattr(rate_limit.SEARCHES, "most", 3)
    monkeypatch.setattr(rate_limit.SEARCHES, "window", 86_400)
    statuses = [reviewer_client.get(f"{AT}?q=ducks").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert "many searches" in reviewer_client.get(f"{AT}?q=ducks").content.decode()
    assert reviewer_client.get(AT).status_code == 200
    assert admin_client.get(f"{AT}?q=ducks").status_code == 200
