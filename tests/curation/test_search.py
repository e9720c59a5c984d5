"""Search in texts: one syntax on SQLite and PostgreSQL, whatever way a row was written."""

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.db.search import best_first, found, lit, parse
from curation.questions.models import Question
from curation.rationales.models import Rationale, Source, text_hash

TEXTS = {
    "eggs": "Ann has 16 eggs and sells 3 of them. 16 - 3 = 13.",
    "ducks": "The duck lays eggs. She eats half, so 16/2=8 are left.",
    "pens": "A box holds 12 pens; 3 boxes hold 3*12 = 36 pens. It's $36.",
    "frac": r"So \frac{1}{2} of x^2 is 0.5x^2, a state-of-the-art café at 1,000.50 €.",
}
FINDS = {
    "eggs": {"eggs", "ducks"},
    "EGGS": {"eggs", "ducks"},
    "eggs -duck": {"eggs"},
    "-duck eggs": {"eggs"},
    '"lays eggs"': {"ducks"},
    '"eggs lays"': set(),
    'eggs -"lays eggs"': {"eggs"},
    "duck*": {"ducks"},
    "box*": {"pens"},
    "16": {"eggs", "ducks"},
    "16-3": {"eggs"},
    "16 - 3 = 13": {"eggs"},
    "3*12": {"pens"},
    "$36": {"pens"},
    "frac{1}{2}": {"frac"},
    "x^2": {"frac"},
    "0.5x": {"frac"},
    "1,000.50": {"frac"},
    "café": {"frac"},
    "state of the art": {"frac"},
    "eggs pens": set(),
    "egg": set(),
    "-eggs": set(),
    "": set(),
    '"': set(),
    "* - ()": set(),
    "pens AND": set(),
    "eggs AND": {"eggs"},
    "text:eggs": set(),
}


@pytest.fixture
def rationales(make_questions, make_rationales):
    question = make_questions(1)[0]
    rows = make_rationales(question, list(TEXTS.values()), scored=False)
    return dict(zip((row.pk for row in rows), TEXTS, strict=True))


@pytest.mark.parametrize("words", FINDS)
def test_words_phrases_beginnings_and_what_is_left_out(words, rationales, monkeypatch):
    rows = found(Rationale.objects.all(), parse(words))
    assert {rationales[row.pk] for row in rows} == FINDS[words]
    monkeypatch.setattr(
        "curation.db.search.MAX_RANKED", 0
    )  # then a hit is many, which is asked otherwise
    rows = found(Rationale.objects.all(), parse(words))
    assert {rationales[row.pk] for row in rows} == FINDS[words]


@given(st.text(max_size=60))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_that_is_typed_is_an_error(db, words):
    query = parse(words)
    list(found(Question.objects.all(), query))
    best_first(found(Question.objects.all(), query), query, 5)
    assert "".join(part for part, _ in lit(words, query, 1000)) == words


def test_rows_are_found_whatever_way_they_were_written(project, make_questions):
    question = make_questions(1)[0]

    def rationale(text):
        return Rationale(
            project=project,
            question=question,
            source=Source.IMPORT,
            text=text,
            text_hash=text_hash(text),
        )

    def hits(words):
        return found(Rationale.objects.all(), parse(words)).count()

    Rationale.objects.bulk_create([rationale("a heron"), rationale("a stork")])
    Rationale.objects.bulk_create([rationale("a heron")], ignore_conflicts=True)
    assert hits("heron") == 2 and hits("stork") == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE rationales_rationale SET text = 'a crane' WHERE text = 'a stork'")
        assert hits("stork") == 0 and hits("crane") == 1
        cursor.execute("DELETE FROM rationales_rationale WHERE text = 'a crane'")
    assert hits("crane") == 0 and hits("heron") == 2


def test_a_text_of_a_megabyte_is_stored_and_found_by_its_beginning(project, make_questions):
    text = "the beginning " + " ".join(f"w{n}" for n in range(150_000))
    question = make_questions(1, question=text)[0]
    assert list(found(Question.objects.all(), parse("beginning w7"))) == [question]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps its index itself")
def test_migrate_makes_the_index_again_where_a_trigger_was_lost(rationales):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER rationales_rationale_words_insert")
    question = Question.objects.get()
    Rationale.objects.create(
        project=question.project, question=question, source=Source.IMPORT, text="a late wader"
    )
    assert not found(Rationale.objects.all(), parse("wader")).exists()
    call_command("migrate", verbosity=0)
    assert found(Rationale.objects.all(), parse("wader")).count() == 1


def test_the_most_relevant_comes_first(make_questions):
    far, near = make_questions(2)
    Question.objects.filter(pk=far.pk).update(text="An egg is mentioned once in a long text " * 5)
    Question.objects.filter(pk=near.pk).update(text="goose egg egg")
    query = parse("egg")
    best = best_first(found(Question.objects.all(), query), query, 5)
    assert best[0] == near and set(best) == {near, far}
    query = parse("egg -goose")
    assert best_first(found(Question.objects.all(), query), query, 5) == [far]


def test_hits_of_other_projects_do_not_keep_a_project_from_its_best(
    make_questions, stranger, monkeypatch
):
    monkeypatch.setattr("curation.db.search.MAX_RANKED", 3)
    mine = make_questions(2)
    make_questions(5, to=stranger.memberships.get().project)
    query = parse("eggs")
    rows = found(mine[0].project.questions.all(), query)
    assert set(best_first(rows, query, 5)) == set(mine)
    make_questions(2)
    assert best_first(rows, query, 5) is None


def test_hits_are_shown_in_their_place_and_as_text():
    text = "x " * 300 + "<b>The Ducks</b> lay eggs"
    parts = lit(text, parse('"the ducks" egg* -goose'), 100)
    assert parts[0] == ("…", False)
    assert [part for part, hit in parts if hit] == ["The Ducks", "eggs"]
    assert text.endswith("".join(part for part, _ in parts[1:])) and len(parts) == 5


SCRIPTS = {
    "apples": "小明有3个苹果，又买了4个，一共有几个？",
    "bananas": "小紅有５個香蕉。",
    "coffee": "Combien de cafe\u0301s pour Zoë et la naïve\u00a0?",
    "eggs_ja": "卵が１２個あります。ｶﾞﾗｽの皿に卵をのせます。",
    "sugar": "ซื้อน้ำตาลสองถุงราคาเท่าไร",
    "korean": "사과가 세 개 있습니다. 정답은 7입니다.",
    "hindi": "कुल उत्तर 7 है।",
    "arabic": "لَدَى سارة 12 تُفَّاحَة",
    "russian": "Ответ: ещё три ёжика, Йорк",
}
IN_SCRIPTS = {
    "苹果": {"apples"},
    "个苹果": {"apples"},
    "果": {"apples"},
    "苹": {"apples"},
    "果苹": set(),
    "苹果汁": set(),
    '"3个苹果"': {"apples"},
    "一共有几个": {"apples"},
    "小 -苹果": {"bananas"},
    "小 -香蕉": {"apples"},
    "5": {"bananas"},
    "caf\u00e9s": {"coffee"},
    "cafe\u0301s": {"coffee"},
    "cafes": {"coffee"},
    "CAFÉS": {"coffee"},
    "cafe": set(),
    "caf*": {"coffee"},
    "zoe naive": {"coffee"},
    "ガラス": {"eggs_ja"},
    "卵": {"eggs_ja"},
    "12個": {"eggs_ja"},
    "น้ำตาล": {"sugar"},
    "ตาลสอง": {"sugar"},
    "น้ำปลา": set(),
    "사과": {"korean"},
    "정답": {"korean"},
    "उत्तर": {"hindi"},
    "कुल उत्तर": {"hindi"},
    "تفاحة": {"arabic"},
    "еще": {"russian"},
    "ОТВЕТ": {"russian"},
    "йорк": {"russian"},
    "，": set(),
}


@pytest.fixture
def in_scripts(make_questions, make_rationales):
    question = make_questions(1)[0]
    rows = make_rationales(question, list(SCRIPTS.values()), scored=False)
    return dict(zip((row.pk for row in rows), SCRIPTS, strict=True))


@pytest.mark.parametrize("words", IN_SCRIPTS)
def test_words_of_scripts_without_spaces_and_accents_either_way(words, in_scripts):
    rows = found(Rationale.objects.all(), parse(words))
    assert {in_scripts[row.pk] for row in rows} == IN_SCRIPTS[words]
    for row in rows:
        hits = [part for part, hit in lit(row.text, parse(words)) if hit]
        assert hits, (words, row.text)


@given(st.text(alphabet="苹果小明有a1é， ", max_size=12), st.integers(0, 11), st.integers(1, 4))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_piece_of_a_run_finds_its_text(project, make_questions, text, start, size):
    piece = "".join(one for one in text[start : start + size] if one not in "a1é， ")
    if not piece or piece not in text:
        return
    Question.objects.all().delete()
    made = make_questions(1, question=f"x {text}")[0]
    assert list(found(Question.objects.all(), parse(piece))) == [made]


def test_hits_inside_of_runs_are_shown_in_their_place():
    assert lit("小明有3个苹果。", parse("苹果")) == [
        ("小明有3个", False),
        ("苹果", True),
        ("。", False),
    ]
    assert lit("Deux cafe\u0301s !", parse("cafes"))[1] == ("cafe\u0301s", True)


def test_fifty_thousand_different_letters_are_stored_and_found(project, make_questions):
    """Each pair of them is a word: more would not fit into what PostgreSQL keeps of a text."""
    text = "".join(chr(0x4E00 + n % 20_000) + chr(0x3400 + n * 7 % 6_000) for n in range(60_000))
    question = make_questions(1, question=text)[0]
    assert list(found(Question.objects.all(), parse(text[2:6]))) == [question]
