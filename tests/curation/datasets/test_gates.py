"""The look before freezing: what is found in the examples, what people do about it, and what blocks."""

import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from datasketch import MinHash, MinHashLSH
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from curation.datasets.gates.alike import Known, jaccard, near_duplicates, normal, shingles
from curation.datasets.gates.lists import add_list
from curation.datasets.gates.patterns import control_token, language, other_language, personal
from curation.datasets.gates.runs import act, left_out, order_gates, run_gates
from curation.datasets.models import DatasetVersion, Finding, GateRun
from curation.datasets.services import freeze, order_freeze
from curation.errors import Conflict, Invalid
from curation.projects.models import Project, User
from curation.rationales.models import Rationale
from tests.curation.api.api_calls import Caller, no_brake
from tests.curation.datasets.test_recipes import give, write

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]
WORDS = (
    "apple box train river shop pen cake book child teacher garden farm road stone water lamp chair "
    "window door table bird horse cart wheel paint bread milk coin letter plate"
).split()


def words(chance: random.Random, count: int) -> str:
    return " ".join(f"{chance.choice(WORDS)} {chance.randint(2, 900)}" for _ in range(count))


def looked(project: Project, **how: Any) -> GateRun:
    run = run_gates(order_gates(project, None, enqueue=False, selection="unfiltered", **how).pk)
    assert run.status == "done", run.error
    return run


def found(run: GateRun, gate: str) -> dict[int, str]:
    return dict(run.findings.filter(gate=gate).values_list("rationale_id", "detail"))


@pytest.fixture
def train(make_questions: Make, make_rationales: Make) -> list[Rationale]:
    """Of two questions that are nothing like any other."""
    one, two = (
        make_questions(1, question=text)[0]
        for text in (
            "A baker fills seven trays with nine rolls each morning. How many rolls are that?",
            "Every ticket of the night train costs 45 euros. What do eleven passengers pay?",
        )
    )
    return [*make_rationales(one, ["right", "wrong"]), *make_rationales(two, ["right"])]


def test_copies_of_held_out_questions_block_until_they_are_left_out_or_signed(
    project: Project, admin_user: User, train: list[Rationale], make_questions: Make
) -> None:
    make_questions(1, "eval", question="a BAKER fills seven trays, with nine rolls each morning; how many "
                   "rolls are that")  # fmt: skip
    make_questions(1, "ood", question="Every ticket of the night train costs 38 euros. What do eleven "
                   "passengers pay?")  # fmt: skip
    make_questions(3, "eval")
    run = looked(project)
    told = sorted(found(run, "held_out").values())
    assert len(told) == 2 and run.counts["held_out"] == 2
    assert "of eval" in told[1] and told[1].startswith("the same words:")
    assert "of ood" in told[0] and told[0].startswith("the same words with other numbers")
    with pytest.raises(Conflict, match="2 questions are like held-out ones"):
        order_freeze(project, None, gates=run.pk, enqueue=False)
    first, second = run.findings.filter(gate="held_out").order_by("pk")
    with pytest.raises(Invalid, match="reason"):
        act(run, admin_user, "keep", ids=[second.pk])
    act(run, admin_user, "keep", ids=[second.pk], reason="another route, checked by hand")
    act(run, admin_user, "leave_out", ids=[first.pk])
    assert len(left_out(run)) == 2  # both rationales of the question
    version = freeze(order_freeze(project, admin_user, gates=run.pk, enqueue=False).pk)
    assert version.status == "done" and version.example_count == 1
    assert {one["reason"]: one["out"] for one in version.funnel["stages"]} == {"left_out": 2}
    assert "1 kept by ada (another route, checked by hand)" in version.card


def test_a_list_that_a_team_brings_blocks_as_well(
    project: Project, admin_user: User, train: list[Rationale], admin_client: Client
) -> None:
    line = {
        "question": "A butcher fills seven trays with nine rolls each morning. How many rolls are that?"
    }
    upload = SimpleUploadedFile("bench.jsonl", json.dumps(line).encode() + b"\n")
    admin_client.post(reverse("list_add", args=["eggs"]), {"name": "Bench", "file": upload})
    assert (
        "Bench: 1 questions"
        in admin_client.get(reverse("datasets", args=["eggs"])).content.decode()
    )
    run = looked(project)
    (detail,) = found(run, "list").values()
    assert detail.endswith("line 1 of Bench")
    with pytest.raises(Invalid, match="cannot be read"):
        add_list(project, admin_user, "broken", io.BytesIO(b'{"question": '))
    with pytest.raises(Invalid):
        add_list(project, admin_user, "empty", io.BytesIO(b"\n"))
    admin_client.post(reverse("list_remove", args=["eggs", project.held_out_lists.get().pk]))
    assert not looked(project).findings.filter(gate="list").exists()


def test_what_an_example_shows_by_itself_is_found(
    project: Project, teacher: Any, train: list[Rationale]
) -> None:
    question = train[0].question
    mail = write(question, teacher, "Write to anna.b@example.org for the answer. Answer: 63")
    token = write(question, teacher, "So it is 63.<|im_end|>\n<|im_start|>user\nAnswer: 63")
    other = write(question, teacher, "Der Bäcker hat sieben Bleche und auf jedem sind neun Brötchen, das "
                  "sind nicht mehr als 63 und mit dem Rest ist es so.")  # fmt: skip
    give(train[0], verdict="not_read", unread="nothing_found")
    run = looked(project)
    assert list(found(run, "personal")) == [mail.pk] and list(found(run, "control")) == [token.pk]
    assert found(run, "language") == {other.pk: "German instead of English"}
    assert list(found(run, "wrong")) == [train[1].pk]
    unread = found(run, "unread")
    assert set(unread) == {train[0].pk, mail.pk, token.pk, other.pk}
    assert unread[mail.pk] == "not scored" and unread[train[0].pk].startswith("no answer was read")


def test_nearly_the_same_is_found_within_a_question_and_across(
    project: Project, teacher: Any, train: list[Rationale]
) -> None:
    chance = random.Random(3)
    text = words(chance, 25)
    first = write(train[0].question, teacher, text)
    same = write(train[0].question, teacher, text.replace("apple", "pear"))
    across = write(train[2].question, teacher, text + " So.")
    write(train[2].question, teacher, words(chance, 25))
    run = looked(project)
    pairs = {
        (row.gate, row.rationale_id, row.other_rationale_id)
        for row in run.findings.filter(gate__in=("same_question", "duplicate"))
    }
    order = list(_chosen(project))
    earlier = min((first.pk, same.pk, across.pk), key=order.index)
    assert len(pairs) == 2 and {other for _, _, other in pairs} == {earlier}
    for gate, pk, other in pairs:
        near = {pk, other} == {first.pk, same.pk}
        assert gate == ("same_question" if near else "duplicate")


def _chosen(project: Project) -> list[int]:
    version = freeze(order_freeze(project, None, selection="unfiltered", enqueue=False).pk)
    return list(version.examples.values_list("rationale_id", flat=True))


def test_what_changed_since_the_look_must_be_looked_through_again(
    project: Project, train: list[Rationale], make_rationales: Make
) -> None:
    run = looked(project)
    make_rationales(train[0].question, ["right, I think"])
    version = freeze(order_freeze(project, None, gates=run.pk, enqueue=False).pk)
    assert version.status == "failed" and "look through them again" in version.error


def test_leaving_out_lets_nothing_unseen_in(
    project: Project, admin_user: User, train: list[Rationale]
) -> None:
    """Of each question one is taken: when that is left out, none takes its place."""
    run = looked(project, per_question=1)
    act(run, admin_user, "leave_out", ids=[], gate="wrong")
    act(run, admin_user, "leave_out", ids=[], gate="unread")
    out = left_out(run)
    version = freeze(order_freeze(project, None, gates=run.pk, enqueue=False).pk)
    assert version.example_count == 2 - len(out)


def test_the_page_lists_and_acts_and_a_reviewer_may_not(
    project: Project, train: list[Rationale], admin_client: Client, reviewer_client: Client,
) -> None:  # fmt: skip
    form = {"selection": "unfiltered", "order_key": "k"}
    place = reverse("dataset_look", args=["eggs"])
    assert reviewer_client.post(place, form).status_code == 403
    admin_client.post(place, form)
    admin_client.post(place, form)
    run = GateRun.objects.get()
    page = reverse("look", args=["eggs", run.pk])
    assert "Being looked through" in admin_client.get(page).content.decode()
    from workers.data.tasks import run_gates_task

    run_gates_task(run.pk)
    assert reviewer_client.get(page).status_code == 403
    told = admin_client.get(page + "?gate=wrong").content.decode()
    assert "its answer is not the reference answer" in told
    finding = Finding.objects.get(gate="wrong")
    act_at = reverse("look_act", args=["eggs", run.pk])
    admin_client.post(act_at, {"gate": "wrong", "action": "keep", "finding": finding.pk})
    finding.refresh_from_db()
    assert not finding.action  # no reason was given
    admin_client.post(act_at, {"gate": "wrong", "action": "leave_out", "which": "all"})
    told = admin_client.get(page + "?gate=wrong").content.decode()
    assert "left out (ada)" in told and "Freeze without 1" in told
    key = re.search(r'name="order_key" value="(\w+)"', told)[1]
    admin_client.post(reverse("dataset_freeze", args=["eggs"]), {"gates": run.pk, "order_key": key})
    version = freeze(DatasetVersion.objects.get().pk)
    assert version.example_count == 2 and version.gates == run


def test_a_script_looks_acts_and_freezes(
    project: Project, admin_user: User, train: list[Rationale]
) -> None:
    ada = Caller(admin_user)
    made = ada.post("looks", {"selection": "unfiltered"}, status=202)
    run_gates(made["id"])
    told = ada.get(f"looks/{made['id']}")
    assert told["counts"]["wrong"] == 1 and told["blocks"] == 0
    (finding,) = ada.get(f"looks/{made['id']}/findings?gate=wrong")
    acted = ada.post(
        f"looks/{made['id']}/act", {"action": "leave_out", "findings": [finding["id"]]}, status=200
    )
    assert acted == {"acted": 1, "blocks": 0}
    number = ada.post("datasets", {"look": made["id"]}, status=202)["number"]
    assert freeze(DatasetVersion.objects.get(number=number).pk).example_count == 2


def test_the_command_looks_and_stops_at_what_blocks(
    project: Project,
    train: list[Rationale],
    make_questions: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    how = {"project": "eggs", "selection": "unfiltered", "look": True}
    call_command("export_dataset", **how)
    assert "Wrong answer: 1" in capsys.readouterr().err
    make_questions(1, "eval", question=train[0].question.text.replace("baker", "cook"))
    with pytest.raises(CommandError, match="like held-out ones"):
        call_command("export_dataset", **how)


def test_doubles_are_found_as_an_oracle_finds_them() -> None:
    """rensa's sketches and our bands against datasketch's, on planted doubles and light edits."""
    chance = random.Random(11)
    texts = [normal(words(chance, 25)) for _ in range(600)]
    for text in texts[:60]:
        edited = text.split()
        edited[chance.randrange(len(edited))] = "another"
        texts.append(" ".join(edited))
    ours = {(first, later) for first, later, _ in near_duplicates(texts)}
    index, theirs = MinHashLSH(threshold=0.7, num_perm=128), set()
    for n, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([piece.encode() for piece in shingles(text)])
        for other in index.query(sketch):
            if jaccard(shingles(texts[other]), shingles(text)) >= 0.8:
                theirs.add((other, n))
        index.insert(n, sketch)
    assert ours == theirs and len(ours) == 60


@pytest.mark.parametrize("change", ["exact", "renumbered", "renamed", "reordered"])
def test_copies_of_known_questions_are_found_in_every_disguise(change: str) -> None:
    chance = random.Random(7)
    known = [
        f"{name} buys {words(chance, 8)} at the market. Then {name} gives {words(chance, 4)} away. "
        "How much is left?"
        for name in ("Ann", "Bob", "Carla", "Dmitri", "Esra") * 8
    ]

    def disguised(text: str) -> str:
        if change == "exact":
            return text.upper().replace(".", " !")
        if change == "renumbered":
            return re.sub(r"\d+", lambda _: str(chance.randint(2, 99)), text)
        if change == "renamed":
            return text.replace(text.split()[0], "Wilhelmine")
        first, second, third = text.split(". ")
        return f"{second}. {first}. {third}"

    hits = list(Known(known).hits([disguised(text) for text in known]))
    assert [hit.place for hit in hits] == [hit.other for hit in hits] == list(range(40))
    others = [f"{words(chance, 12)}. Which is the longest of them?" for _ in range(40)]
    assert not list(Known(known).hits(others))


@pytest.mark.parametrize(
    ("text", "is_hit"),
    [
        ("Write to a.b+c@mail.example.org.", True),
        ("Call 0170 1234567 now", True),
        ("+49 (30) is short, 555-123-4567 is not", True),
        ("IBAN DE89 3704 0044 0532 0130 00", True),
        ("He has 1,000,000,000 grains, or 1 000 000 000.", False),
        ("123456789 * 2 = 246913578", False),
        ("In 1999, 2004 and 2010 they sold 300, 400 and 500.", False),
        ("3.14159265358979 is pi", False),
        ("x @ y", False),
    ],
)
def test_personal_data_is_told_from_the_numbers_of_word_problems(text: str, is_hit: bool) -> None:
    assert bool(personal(text)) == is_hit


@pytest.mark.parametrize(
    ("text", "token"),
    [("a<|eot_id|>", "<|eot_id|>"), ("[INST] x", "[INST]"), ("<start_of_turn>u", "<start_of_turn>"),
     ("a < b | c > d", ""), ("x<y>z", ""), ("[1, 2]", "")],
)  # fmt: skip
def test_control_tokens_are_told_from_mathematics(text: str, token: str) -> None:
    assert control_token(text) == token


def test_languages_are_told_by_script_and_usual_words() -> None:
    assert language("Сколько яблок у Анны осталось после этого?") == "Cyrillic script"
    assert language("小明有三个苹果，他又买了两个苹果，一共有多少？") == "Chinese or Japanese"
    assert language("3 + 4 = 7") == ""
    english = "How many apples has she and what is the price of each that she buys?"
    assert other_language(english, "3 * 4 = 12\nAnswer: 12") == ""
    assert other_language(english, "Сначала считаем яблоки, потом груши.") != ""
