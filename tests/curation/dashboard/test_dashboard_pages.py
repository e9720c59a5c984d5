"""My work, the dashboard's numbers, and what it says to do next."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from statsmodels.stats.proportion import proportion_confint

from curation.dashboard.advice import Known, next_step
from curation.dashboard.selectors import Counts, Pace, Running, Student
from curation.db.adaptive_cache import remembered
from curation.figures.intervals import student, wilson
from curation.projects.models import Project, User
from curation.projects.services import add_member, change_rubric
from curation.rationales.generation.orders import order_run
from curation.rationales.models import Rationale, ScoringRun, Teacher
from curation.reviews.decisions.rule import apply_rule
from curation.reviews.models import Decision
from curation.reviews.queue.claims import next_item
from curation.reviews.submission.submit import ReviewInput, submit

Make = Callable[..., list[Any]]
POSTS = ("score_now", "approve_by_rule", "export_and_train")


@pytest.fixture
def rationales(make_questions: Make, make_rationales: Make) -> list[Rationale]:
    """Four questions with a right and a wrong rationale each, and two held out."""
    make_questions(2, "eval")
    return [r for q in make_questions(4) for r in make_rationales(q, ["right", "wrong"])]


def dashboard(client: Client, name: str = "dashboard") -> str:
    cache.clear()
    answer = client.get(reverse(name, args=["eggs"]))
    assert answer.status_code == 200
    return answer.content.decode()


def stage(html: str, name: str) -> str:
    """The words of one stage of the funnel."""
    found = re.search(rf'id="flow-{name}".*?</a>', html, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0].split(">", 1)[1]).split())


def test_a_stranger_finds_nothing(project: Project, stranger_client: Client) -> None:
    for name in ("dashboard", "dashboard_live", "rubric_preview"):
        assert stranger_client.get(reverse(name, args=["eggs"])).status_code == 404
    for name in POSTS:
        assert stranger_client.post(reverse(name, args=["eggs"])).status_code == 404


def test_a_reviewer_sees_the_dashboard_and_orders_nothing(
    rationales: list[Rationale], reviewer_client: Client
) -> None:
    html = dashboard(reviewer_client)
    assert "Export and train" not in html and "Import questions" not in html
    for name in POSTS:
        assert reviewer_client.post(reverse(name, args=["eggs"])).status_code == 403
    assert reviewer_client.get(reverse("rubric_preview", args=["eggs"])).status_code == 403
    assert not Decision.objects.exists()


def test_orders_are_never_read_addresses(project: Project, admin_client: Client) -> None:
    for name in POSTS:
        assert admin_client.get(reverse(name, args=["eggs"])).status_code == 405


def test_nobody_is_let_in_without_a_sign_in(project: Project, client: Client) -> None:
    for address in ("/", reverse("dashboard", args=["eggs"])):
        assert client.get(address).headers["Location"].startswith("/sign-in/")


def test_the_funnel_counts_every_stage(
    project: Project, rationales: list[Rationale], reviewer: User, admin_client: Client
) -> None:
    apply_rule(project)
    item = next_item(project, reviewer).item
    mine = [rationale for rationale in rationales if rationale.question_id == item.question_id]
    says = [ReviewInput(mine[0].pk, "approve"), ReviewInput(mine[1].pk, "reject", ["wrong_answer"])]
    submit(project, reviewer, item.pk, says)
    html = dashboard(admin_client)
    assert stage(html, "questions") == "Questions 6 2 held out"
    assert stage(html, "rationales") == "Rationales 8 of 1 teacher"
    assert stage(html, "scored") == "Scored 8 all of them"
    assert stage(html, "passing") == "Pass the rubric 4 50% of the scored"
    assert stage(html, "approved") == "Approved 4 by people 1, by rule 3"
    assert stage(html, "student") == "Trained student — not yet"
    # Four questions, each with a right and a wrong rationale: never wider than four outcomes by chance.
    low, high = wilson(4, 8, student(3))
    assert f'50.0% <span class="ci">{100 * low:.1f}–{100 * high:.1f}' in html
    assert (
        '50% <span class="ci">of 2' in html
    )  # approved of seen: what the rule approved, nobody saw


def test_the_rule_approves_on_the_page_and_says_how_many(
    project: Project, rationales: list[Rationale], admin_client: Client
) -> None:
    answer = admin_client.post(reverse("approve_by_rule", args=["eggs"]), follow=True)
    html = answer.content.decode()
    assert "4 more rationales are approved by the rule" in html
    assert stage(html, "approved") == "Approved 4 by people 0, by rule 4"
    again = admin_client.post(reverse("approve_by_rule", args=["eggs"]), follow=True)
    assert "No undecided rationale passes the rubric" in again.content.decode()


def test_the_dashboard_takes_as_many_queries_for_many_rationales_as_for_few(
    rationales: list[Rationale],
    make_questions: Make,
    make_rationales: Make,
    admin_client: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(2):
        cache.clear()
        with django_assert_max_num_queries(30) as seen:
            admin_client.get(reverse("dashboard", args=["eggs"]))
        assert not [q["sql"] for q in seen.captured_queries if '"rationale"."text"' in q["sql"]]
        for question in make_questions(5):
            make_rationales(question, ["right", "wrong", "right again, 5"])


def test_running_work_is_shown_with_its_progress(
    project: Project, admin_user: User, teacher: Teacher, make_questions: Make,
    make_rationales: Make, admin_client: Client,
) -> None:  # fmt: skip
    questions = make_questions(3)
    order_run(project, admin_user, teachers=[teacher], temperatures=[0.5], samples=2)
    for question in questions:
        make_rationales(question, ["right", "wrong"], scored=False)
    ScoringRun.objects.create(project=project, total=6, done=4)
    html = dashboard(admin_client, "dashboard_live")
    # Six wait, and four were scored before they joined.
    assert "0 of 6 rationales" in html and "4 of 10 rationales" in html
    assert 'hx-trigger="every 2s"' in html
    assert '<progress value="4" max="10"' in html


def test_a_page_keeps_its_order_key_while_it_is_drawn_anew(
    project: Project, admin_client: Client
) -> None:
    key = re.search(r'name="order_key" value="(\w+)"', dashboard(admin_client))[1]
    live = admin_client.get(reverse("dashboard_live", args=["eggs"]), {"order_key": key})
    assert f'value="{key}"' in live.content.decode()
    live = admin_client.get(reverse("dashboard_live", args=["eggs"]), {"order_key": '"><script>'})
    assert "<script>" not in live.content.decode()


def test_names_that_look_like_html_stay_text(
    project: Project, teacher: Teacher, make_questions: Make, make_rationales: Make,
    admin_client: Client,
) -> None:  # fmt: skip
    Teacher.objects.filter(pk=teacher.pk).update(name="<script>alert(1)</script>")
    Project.objects.filter(pk=project.pk).update(name="<img src=x onerror=alert(1)>")
    make_rationales(make_questions(1)[0], ["right"])
    html = dashboard(admin_client)
    assert "<script>alert" not in html and "<img" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_preview_counts_what_would_pass(
    project: Project, rationales: list[Rationale], admin_client: Client
) -> None:
    values = {"right_answer": "on", "min_validity": 0, "min_conciseness": 0,
              "min_structure": 0, "max_redundancy": 1}  # fmt: skip
    address = reverse("rubric_preview", args=["eggs"])
    html = admin_client.get(address, values).content.decode()
    assert "<b>4</b>" in html and "of 8 pass all" in html
    del values["right_answer"]
    assert "<b>8</b>" in admin_client.get(address, values).content.decode()
    assert admin_client.get(address, {**values, "min_validity": "nan"}).status_code == 400
    assert admin_client.get(address, {**values, "min_validity": 2}).status_code == 400
    assert project.rubric.version == 1  # looking changes nothing


def test_numbers_follow_a_new_rubric_at_once(
    project: Project, rationales: list[Rationale], admin_user: User, admin_client: Client
) -> None:
    assert stage(dashboard(admin_client), "passing").startswith("Pass the rubric 4")
    change_rubric(project, admin_user, right_answer=False, min_validity=0.0, min_conciseness=0.0,
                  min_structure=0.0, max_redundancy=1.0)  # fmt: skip
    html = admin_client.get(reverse("dashboard", args=["eggs"])).content.decode()
    assert stage(html, "passing").startswith("Pass the rubric 8")


def test_my_work_shows_my_projects_and_what_waits_in_them(
    project: Project, rationales: list[Rationale], reviewer: User, reviewer_client: Client
) -> None:
    html = reviewer_client.get("/").content.decode()
    assert "Eggs" in html and "Elsewhere" not in html
    assert re.search(r"of them for me</dt><dd>4<", html)
    item = next_item(project, reviewer).item
    cache.clear()
    assert "Go on with my question" in reviewer_client.get("/").content.decode()
    mine = [ReviewInput(c.pk, "approve") for c in rationales if c.question_id == item.question_id]
    submit(project, reviewer, item.pk, mine)
    cache.clear()
    html = reviewer_client.get("/").content.decode()
    assert re.search(r"of them for me</dt><dd>3<", html)
    assert re.search(r"rationales judged by me today</dt><dd>2<", html)


def test_what_somebody_else_holds_does_not_wait_for_me(
    project: Project, rationales: list[Rationale], admin_user: User, reviewer_client: Client
) -> None:
    next_item(project, admin_user)
    html = reviewer_client.get("/").content.decode()
    assert re.search(r"of them for me</dt><dd>3<", html)


def test_a_person_without_a_project_is_told_what_to_do(db: None, client: Client) -> None:
    client.force_login(User.objects.create_user("nina"))
    html = client.get("/").content.decode()
    assert "You belong to no project yet" in html and "nina" in html


def test_my_work_takes_as_many_queries_for_many_projects(
    project: Project, reviewer: User, reviewer_client: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(5):
        other = Project.objects.create(name=f"P{n}", slug=f"p{n}")
        add_member(other, reviewer.username, "reviewer")
    with django_assert_max_num_queries(16):
        reviewer_client.get("/")


def test_what_takes_long_to_count_is_counted_by_one_and_shown_older_to_the_others() -> None:
    cache.clear()
    assert remembered("k", lambda: "first") == "first"
    assert remembered("k", lambda: "second") == "first"  # not a second old
    assert remembered("k", lambda: "second", fresh=True) == "second"
    cache.set("k", ("old", 0.0))
    seen = []

    def slow() -> str:
        seen.append(remembered("k", lambda: "by another"))
        return "new"

    assert remembered("k", slow) == "new"
    assert seen == ["old"]
    cache.set("k", ("old", 0.0))
    assert remembered("k", lambda: "newer") == "newer"  # the lock was given back


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (1, 3), (885, 1000)])
def test_the_interval_is_that_of_statsmodels(right: int, n: int) -> None:
    assert wilson(right, n) == pytest.approx(
        proportion_confint(right, n, method="wilson"), abs=1e-12
    )
    assert wilson(0, 0) is None


JOB = SimpleNamespace(pk=3, dataset=SimpleNamespace(example_count=100))
EMPTY = Known(
    Counts(), Pace([(date(2026, 1, 1), 0)]), Student(None, None, None), [],
    can_write=True, has_student=True, is_admin=True,
)  # fmt: skip
SOME = replace(
    EMPTY,
    counts=Counts(splits={"train": 50}, rationales=200, scored=200, passing=120, by_people=20,
                  reviewed=40),
    pace=Pace([(date(2026, 1, 1), 50)], seconds=120.0, spread=60.0, timed=50, rationales=200, people=2,
              waiting=30),
)  # fmt: skip


def running(view: str, pk: int = 1) -> list[Running]:
    return [Running("", view, pk, None)]


@pytest.mark.parametrize(
    ("known", "view", "words"),
    [
        (EMPTY, "import_new", "import questions"),
        (replace(EMPTY, running=running("import_detail")), "import_detail", "on their way"),
        (replace(EMPTY, counts=Counts(splits={"train": 5})), "run_new", "let the teachers write"),
        (
            replace(EMPTY, counts=Counts(splits={"train": 5}), can_write=False),
            "teacher_new",
            "name a teacher",
        ),
        (
            replace(EMPTY, counts=Counts(splits={"train": 5}, rationales=5)),
            "score_now",
            "score the rationales",
        ),
        (SOME, "review", "100 more approved rationales"),
        (
            replace(SOME, counts=replace(SOME.counts, by_people=120)),
            "export_and_train",
            "export and train",
        ),
        (
            replace(SOME, counts=replace(SOME.counts, by_people=120), has_student=False),
            "settings",
            "name the student",
        ),
        (replace(SOME, running=running("training_detail", 3)), "training_detail", "learns"),
        (replace(SOME, student=Student(JOB, None, None)), "evaluation_new", "measure training 3"),
        (
            replace(SOME, student=Student(JOB, JOB, None, approved_since=30)),
            "export_and_train",
            "train again",
        ),
        (
            replace(SOME, student=Student(JOB, JOB, None, missed=("accuracy",), approved_since=3)),
            "review",
            "kinds at which the student fails",
        ),
        (
            replace(SOME, student=Student(JOB, JOB, None)),
            "evaluation_detail",
            "Every target is met",
        ),
    ],
)
def test_the_next_step_follows_from_what_is_there(known: Known, view: str, words: str) -> None:
    advice = next_step(known)
    assert advice.view == view
    assert words in advice.text


def test_the_pace_says_how_long_the_missing_rationales_take_as_a_range() -> None:
    # 100 rationales, 30 s each; approved are 35% to 65% (Wilson, 20 of 40), and the mean time is uncertain by
    # 14%: 100 / 0.65 * 30 * 0.86 s to 100 / 0.35 * 30 * 1.14 s, for two people.
    many = replace(SOME, pace=replace(SOME.pace, waiting=2000))
    assert (
        "2 min a question, that is 30 to 90 min of work for each of 2 reviewers."
        in next_step(many).why
    )
    long = replace(many, counts=replace(SOME.counts, passing=2000))
    assert "that is 5 to 14 hours of work" in next_step(long).why
    twice = replace(many, pace=replace(many.pace, overlap=2))
    assert "that is 1 to 3 hours of work" in next_step(twice).why


def test_what_waits_takes_no_longer_than_all_of_it_and_brings_no_more() -> None:
    # 40 questions of 2 min for two people are 40 min, or 46 where the mean time is at its upper bound.
    few = replace(SOME, pace=replace(SOME.pace, waiting=40))
    assert "that is 30 to 50 min of work" in next_step(few).why
    fewer = replace(SOME, pace=replace(SOME.pace, waiting=10))
    assert "10 questions wait, which at the share that people approve" in next_step(fewer).why


def test_a_few_decisions_make_no_pace() -> None:
    early = replace(SOME, pace=replace(SOME.pace, timed=19))
    assert "Too early to tell" in next_step(early).why and "19 of 20" in next_step(early).why
    nobody = replace(SOME, pace=Pace([(date(2026, 1, 1), 0)], waiting=30))
    assert "(none yet)" in next_step(nobody).why


@pytest.mark.parametrize(
    "coming",
    [
        replace(SOME, counts=replace(SOME.counts, rationales=300)),
        replace(SOME, counts=replace(SOME.counts, stale_groups=2)),
        replace(SOME, running=running("run_detail")),
        replace(SOME, running=[Running("Scoring", "", None, None)]),
    ],
)
def test_no_goal_is_named_that_would_move_while_rationales_are_scored(coming: Known) -> None:
    advice = next_step(coming)
    assert advice.view == "review" and "more approved" not in advice.text
    assert "rationales are scored" in advice.why
    enough = replace(coming, counts=replace(coming.counts, passing=1500))
    assert (
        "980 more approved rationales" in next_step(enough).text
    )  # the goal is at its end already


def test_the_dashboard_counts_questions_and_says_so(
    project: Project, rationales: list[Rationale], reviewer: User, reviewer_client: Client
) -> None:
    item = next_item(project, reviewer).item
    mine = [ReviewInput(c.pk, "approve") for c in rationales if c.question_id == item.question_id]
    submit(project, reviewer, item.pk, mine, 24)
    html = dashboard(reviewer_client)
    words = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "Questions reviewed a day 1 in two weeks · 24 s each" in words
    assert "2 rationales judged in them." in words


def test_missed_targets_are_named() -> None:
    missed = Student(JOB, JOB, None, missed=("accuracy", "validity", "length_ratio"))
    why = next_step(replace(SOME, student=missed)).why
    assert "misses the targets for right answers, valid steps and length." in why
    one = next_step(replace(SOME, student=Student(JOB, JOB, None, missed=("similarity",)))).why
    assert "misses the target for similarity." in one


def test_a_reviewer_is_sent_to_review_or_told_who_comes_next() -> None:
    reviewer = replace(SOME, is_admin=False, student=Student(JOB, None, None))
    assert next_step(reviewer).view == "review"
    nothing = replace(EMPTY, is_admin=False)
    assert next_step(nothing).view == ""
    assert "An admin comes next" in next_step(nothing).why
