"""Search by meaning: ordered on a page, answered by the worker's own task with the real model."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from curation.jobs import Status
from curation.projects.models import Project
from curation.questions.models import Question
from curation.rationales.models import Embedding, MeaningSearch, Rationale
from curation.rationales.scoring.scores import order_scoring
from curation.rationales.semantic_search import searches
from curation.reviews.queue.claims import claim
from curation.reviews.queue.items import set_overlap
from curation.reviews.submission.submit import ReviewInput, submit
from workers.scoring import tasks as scoring
from workers.semantic_search import tasks

NEW = reverse("meaning", args=["eggs"])
TEXTS = {
    "bank": "The bank pays five percent interest on her savings every year.",
    "train": "The train covers 120 kilometres in two hours, so its speed is 60.",
    "dog": "A puppy eats 200 grams of food each morning and evening.",
}


@pytest.fixture(autouse=True)
def no_shelf():
    """Ids begin anew in each test; a worker's shelves live as long as its process."""
    tasks._shelves.clear()


@pytest.fixture
def rationales(make_questions, make_rationales):
    question = make_questions(1)[0]
    made = make_rationales(question, list(TEXTS.values()), scored=False)
    return dict(zip(TEXTS, made, strict=True))


def ask(client, **fields):
    """Order a search as the page does, let the worker answer it, and open its page."""
    answer = client.post(NEW, fields)
    assert answer.status_code == 302, answer.content
    tasks.search_meaning(MeaningSearch.objects.latest("pk").pk)
    return client.get(answer.url)


def test_other_words_for_the_same_find_a_rationale(rationales, reviewer_client):
    for words, wanted in {
        "how fast does the railway go": "train",
        "money in an account grows": "bank",
        "feeding a young pet": "dog",
    }.items():
        rows = ask(reviewer_client, text=words).context["rows"]
        assert rows[0] == rationales[wanted] and len(rows) == 3, words
        assert 1 >= rows[0].cosine > rows[1].cosine
    assert Embedding.objects.count() == 3
    assert {len(bytes(one.vector)) for one in Embedding.objects.all()} == {768}


def test_more_like_a_rationale_leaves_that_one_out(
    rationales, make_questions, make_rationales, reviewer_client
):
    (near,) = make_rationales(
        make_questions(1)[0], ["The train travels 180 km in 3 hours: its speed is 60."], False
    )
    like = reverse("meaning_like", args=["eggs", rationales["train"].pk])
    answer = reviewer_client.post(like)
    tasks.search_meaning(MeaningSearch.objects.get().pk)
    page = reviewer_client.get(answer.url)
    rows = page.context["rows"]
    assert rows[0] == near and rationales["train"] not in rows
    assert TEXTS["train"][:20] in page.content.decode()


def test_questions_are_found_by_meaning_too(make_questions, reviewer_client):
    make_questions(1, question="How many litres of petrol does the car burn on its way?")
    make_questions(1, question="How old is grandmother when the twins are ten?")
    rows = ask(reviewer_client, text="fuel for driving", kind="question").context["rows"]
    assert rows[0] == Question.objects.first()


def test_until_a_worker_answers_the_page_shows_what_has_the_same_words(rationales, reviewer_client):
    place = reviewer_client.post(NEW, {"text": "speed of the fast train"}).url
    page = reviewer_client.get(place)
    shown = page.content.decode()
    assert page.context["rows"][0] == rationales["train"] and "every 700ms" in shown
    assert "<mark>train</mark>" in shown
    MeaningSearch.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    shown = reviewer_client.get(place).content.decode()
    assert "No worker answered" in shown and "every 700ms" not in shown
    tasks.search_meaning(MeaningSearch.objects.get().pk)  # too late: nobody waits any more
    assert MeaningSearch.objects.get().hits is None


def test_a_later_search_finds_what_came_meanwhile_and_embeds_nothing_twice(
    rationales, make_questions, make_rationales, reviewer_client, monkeypatch
):
    ask(reviewer_client, text="anything")
    make_rationales(make_questions(1)[0], ["She deposits coins at the bank."], scored=False)
    texts = []
    real = tasks.embedder().encode

    def counting(some):
        texts.extend(some)
        return real(some)

    monkeypatch.setattr(tasks.embedder(), "encode", counting)
    page = ask(reviewer_client, text="savings")
    assert page.context["search"].embedded == 4
    assert texts == ["savings", "She deposits coins at the bank."]


def test_while_texts_are_being_embedded_the_page_says_how_many_and_grows(
    rationales, project, reviewer_client, monkeypatch, wake_ups, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(tasks, "BEFORE_A_SEARCH", -1.0)
    monkeypatch.setattr(tasks, "EMBED_AT_ONCE", 2)
    with django_capture_on_commit_callbacks(execute=True):
        page = ask(reviewer_client, text="savings")
    shown = page.content.decode()
    assert page.context["rows"] == [] and "0 of 3 rationales" in shown and "every 3s" in shown
    assert wake_ups("cpu") == 2  # the search's and the embedding's
    place = reverse("meaning_found", args=["eggs", MeaningSearch.objects.get().pk])
    monkeypatch.setattr(tasks.Made, "seconds", property(lambda made: made.count))
    monkeypatch.setattr(tasks, "ONE_TURN", 1.0)  # a text a second: two texts a turn
    tasks.embed_texts(project.pk)
    page = reviewer_client.get(place)
    shown = page.content.decode()
    assert len(page.context["rows"]) == 2 and "2 of 3 rationales" in shown
    assert "the rest follows (about" in shown and "1 s" in shown and "every 3s" in shown
    monkeypatch.setattr(tasks, "ONE_TURN", 60.0)
    tasks.embed_texts(project.pk)
    page = reviewer_client.get(place)
    shown = page.content.decode()
    assert page.context["rows"][0] == rationales["bank"] and len(page.context["rows"]) == 3
    assert "all 3 rationales" in shown and "every " not in shown.partition('id="found"')[2][:200]
    assert bytes(MeaningSearch.objects.get().vector or b"") == b""
    assert Embedding.objects.count() == 3 + Question.objects.count()
    assert not searches.missing(project, "rationale", tasks.DEFAULT_MODEL).exists()


def test_a_search_for_what_is_like_a_rationale_leaves_it_out_when_it_grows_too(
    rationales, project, reviewer_client, monkeypatch
):
    monkeypatch.setattr(tasks, "BEFORE_A_SEARCH", -1.0)
    like = reverse("meaning_like", args=["eggs", rationales["train"].pk])
    place = reviewer_client.post(like).url
    tasks.search_meaning(MeaningSearch.objects.get().pk)
    tasks.embed_texts(project.pk)
    rows = reviewer_client.get(place).context["rows"]
    assert len(rows) == 2 and rationales["train"] not in rows


def test_embedding_gives_way_to_a_search(rationales, project, admin_user, monkeypatch, wake_ups):
    waiting = searches.order_search(project, admin_user, text="savings")
    tasks.embed_texts(project.pk)
    assert not Embedding.objects.exists()
    tasks.search_meaning(waiting.pk)
    waiting.refresh_from_db()
    assert len(waiting.hits) == 3 and waiting.left == 0


def test_a_search_does_not_wait_for_the_end_of_a_scoring_run(
    rationales, make_questions, make_rationales, project, reviewer, monkeypatch
):
    for question in make_questions(3):
        make_rationales(question, ["right"], scored=False)
    run = order_scoring(project, None, embeddings=False)
    search = searches.order_search(project, reviewer, text="savings")
    monkeypatch.setattr(scoring, "GROUPS_AT_ONCE", 1)
    scoring.score(run.pk)
    run.refresh_from_db()
    search.refresh_from_db()
    assert run.status == Status.DONE and run.done == 6
    assert search.hits[0][0] == rationales["bank"].pk and search.answered_at < run.finished_at


def test_questions_are_embedded_first_where_somebody_searches_in_them(
    rationales, project, reviewer_client, monkeypatch
):
    monkeypatch.setattr(tasks, "BEFORE_A_SEARCH", -1.0)
    ask(reviewer_client, text="savings", kind="question")
    monkeypatch.setattr(tasks, "EMBED_AT_ONCE", 1)
    monkeypatch.setattr(tasks.Made, "seconds", property(lambda made: made.count))
    monkeypatch.setattr(tasks, "ONE_TURN", 0.5)
    tasks.embed_texts(project.pk)
    assert Embedding.objects.filter(kind="question").count() == Question.objects.count()


def test_a_reviewer_finds_no_pending_edit_of_somebody_else(
    project, admin_user, make_questions, make_rationales, reviewer_client, admin_client
):
    (rationale,) = make_rationales(make_questions(1)[0], ["right"])
    set_overlap(project, 2)
    seat = claim(project, admin_user, rationale.question)
    submit(
        project,
        admin_user,
        seat.item_id,
        [ReviewInput(rationale.pk, "edit", edited_text="Secret ducks.")],
    )
    edit = Rationale.objects.get(parent=rationale)
    assert edit in ask(admin_client, text="ducks").context["rows"]
    assert edit not in ask(reviewer_client, text="ducks").context["rows"]
    assert reviewer_client.post(reverse("meaning_like", args=["eggs", edit.pk])).status_code == 404


def test_a_search_is_its_persons_alone_and_stays_in_its_project(
    rationales, project, admin_user, admin_client, reviewer_client, stranger_client, stranger
):
    place = admin_client.post(NEW, {"text": "savings"}).url
    assert reviewer_client.get(place).status_code == 404
    assert stranger_client.get(place).status_code == 404
    assert stranger_client.post(NEW, {"text": "savings"}).status_code == 404
    elsewhere = Project.objects.get(slug="elsewhere")
    search = searches.order_search(elsewhere, stranger, text="savings")
    tasks.search_meaning(search.pk)
    search.refresh_from_db()
    assert (search.hits, search.embedded) == ([], 0)


@pytest.mark.parametrize(
    "fields", [{"text": " "}, {"text": "x" * 1001}, {"text": "a", "kind": "b"}]
)
def test_a_search_for_nothing_is_refused(fields, project, reviewer_client):
    assert reviewer_client.post(NEW, fields).status_code == 400
    assert not MeaningSearch.objects.exists()


def test_a_person_has_few_searches_open_at_once(project, reviewer_client):
    answers = [reviewer_client.post(NEW, {"text": "savings"}).status_code for _ in range(6)]
    assert answers == [302] * 5 + [400]


def test_very_many_hits_by_words_are_shown_too(rationales, reviewer_client, monkeypatch):
    monkeypatch.setattr("curation.db.search.MAX_RANKED", 1)
    page = reviewer_client.get(reviewer_client.post(NEW, {"text": "of the"}).url)
    assert len(page.context["rows"]) >= 2


@pytest.mark.parametrize("error", [OSError("/srv/secret/model: no such file"), ValueError("x")])
def test_a_model_that_does_not_load_is_said_without_its_place(
    error, rationales, reviewer_client, monkeypatch
):
    def broken(texts):
        raise error

    monkeypatch.setattr(tasks.embedder(), "encode", broken)
    shown = ask(reviewer_client, text="fast train").content.decode()
    assert "could not compare meanings" in shown and "secret" not in shown
    assert "every 700ms" not in shown and "<mark>train</mark>" in shown


def test_embedding_looks_at_each_text_once_however_many_are_done(
    project, make_questions, monkeypatch
):
    monkeypatch.setattr(searches, "LATE", 2)
    monkeypatch.setattr(tasks, "EMBED_AT_ONCE", 4)
    make_questions(12)
    looked = []
    real = searches.missing

    def looking(*given):
        rows = real(*given)
        looked.append(rows.model.objects.filter(pk__gt=max(0, _mark(rows))).count())
        return rows

    def _mark(rows):
        made = Embedding.objects.filter(kind="question").order_by("-object_id").first()
        return made.object_id - 2 if made else 0

    monkeypatch.setattr(searches, "missing", looking)
    assert not tasks.embed(project, "question", 60.0).more
    assert Embedding.objects.filter(kind="question").count() == 12
    assert looked == sorted(looked, reverse=True) and looked[-1] <= 2
    sql = str(real(project, "question", tasks.DEFAULT_MODEL).query)
    assert '"id" >' in sql


def test_vectors_of_texts_that_are_gone_are_forgotten(rationales, project, reviewer_client):
    ask(reviewer_client, text="how fast does the railway go")
    gone = rationales["train"].pk
    other = Embedding.objects.get(kind="rationale", object_id=gone)
    Embedding.objects.create(
        project=project, kind="question", object_id=10**9, model=other.model, vector=other.vector
    )
    Rationale.objects.filter(pk=gone).delete()
    tasks.embed_texts(project.pk)
    left = Embedding.objects.filter(kind="rationale").values_list("object_id", flat=True)
    assert set(left) == {rationales["bank"].pk, rationales["dog"].pk}
    assert not Embedding.objects.filter(object_id=10**9).exists()
    rows = ask(reviewer_client, text="how fast does the railway go").context["rows"]
    assert len(rows) == 2 and len(MeaningSearch.objects.latest("pk").hits) == 2
