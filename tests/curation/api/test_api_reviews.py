"""A script reviews: it claims, decides, takes back, and sees no more than the bench shows."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import Project, User
from curation.projects.services import add_member
from curation.questions.models import Question
from curation.rationales.models import GenerationRun, MeaningSearch, Rationale, Teacher
from curation.rationales.semantic_search.searches import answer
from curation.reviews.models import Decision, QueueItem, Review
from curation.reviews.queue.items import set_overlap
from tests.conftest import person
from tests.curation.api.api_calls import Caller, no_brake
from tests.curation.training.training_rows import frozen
from workers.agreement.tasks import count_agreement

__all__ = ["no_brake"]
Make = Callable[..., list[Any]]


@pytest.fixture
def questions(make_questions: Make, make_rationales: Make) -> list[Question]:
    made = make_questions(3)
    for one in made:
        make_rationales(one, ["right", "wrong"])
    return made


@pytest.fixture
def rudi(reviewer: User) -> Caller:
    return Caller(reviewer, "review")


@pytest.fixture
def ada(admin_user: User) -> Caller:
    return Caller(admin_user)


def says(bench: dict[str, Any], verdict: str = "approve") -> list[dict[str, Any]]:
    more = {"reasons": ["wrong_step"]} if verdict == "reject" else {}
    return [{"rationale": one["id"], "verdict": verdict, **more} for one in bench["rationales"]]


def decide(who: Caller, bench: dict[str, Any], verdict: str = "approve") -> Any:
    place = f"review/items/{bench['item']}/submit"
    return who.post(place, {"says": says(bench, verdict), "seconds": 4})


def test_a_script_claims_decides_and_comes_to_an_end(
    questions: list[Question], rudi: Caller
) -> None:
    seen = []
    while (bench := rudi.post("review/next"))["item"] is not None:
        assert bench["question"]["id"] not in seen and len(bench["rationales"]) == 2
        seen.append(bench["question"]["id"])
        made = decide(rudi, bench)["reviews"]
        assert [one["verdict"] for one in made] == ["approve", "approve"]
    assert bench["nothing"] == {"state": "done", "until": None} and len(seen) == 3
    assert Decision.objects.filter(outcome="approved").count() == 6
    assert rudi.get("questions?state=done")["items"][0]["approved_rationales"] == 2


def test_the_next_question_stays_the_same_until_it_is_decided(
    questions: list[Question], rudi: Caller
) -> None:
    first = rudi.post("review/next")
    assert rudi.post("review/next")["item"] == first["item"]
    renewed = rudi.post(f"review/items/{first['item']}/renew")
    assert renewed["held_until"] > first["held_until"]
    ahead = rudi.post(f"review/items/{first['item']}/ahead")
    assert ahead["item"] not in (None, first["item"])


def test_what_somebody_else_holds_is_a_conflict_with_a_name(
    questions: list[Question], rudi: Caller, ada: Caller
) -> None:  # E1
    bench = rudi.post("review/next")
    refused = ada.post(f"questions/{bench['question']['id']}/claim", status=409)
    assert refused["title"] == "Conflict" and "rudi" in refused["detail"]
    place = f"review/items/{bench['item']}/submit"
    ada.post(place, {"says": says(bench)}, status=409)
    assert not Review.objects.exists()


def test_nothing_is_never_said_while_a_claim_may_come_back(
    make_questions: Make, make_rationales: Make, rudi: Caller, ada: Caller
) -> None:
    make_rationales(make_questions(1)[0], ["right"])
    rudi.post("review/next")
    nothing = ada.post("review/next")["nothing"]
    assert nothing["state"] == "held" and nothing["until"]
    rudi.post("review/release", status=204)
    assert ada.post("review/next")["item"] is not None


def test_a_submission_whose_answer_got_lost_is_sent_again_and_counts_once(
    questions: list[Question], rudi: Caller
) -> None:  # E1
    bench = rudi.post("review/next")
    first = decide(rudi, bench)
    place, body = f"review/items/{bench['item']}/submit", {"says": says(bench)}
    rudi.post(place, body, status=409)
    assert rudi.post(place, {**body, "again": True}) == first
    rudi.post(place, {"says": says(bench, "reject"), "again": True}, status=409)
    assert Review.objects.count() == 2


def test_an_edit_is_a_new_rationale_with_its_parent(
    questions: list[Question], rudi: Caller
) -> None:
    bench = rudi.post("review/next")
    rationale = bench["rationales"][0]
    said = {"rationale": rationale["id"], "verdict": "edit", "edited_text": "2 + 2 = 4\nAnswer: 4"}
    own = {"rationale": None, "verdict": "approve", "edited_text": "Mine.\nAnswer: 3"}
    made = rudi.post(f"review/items/{bench['item']}/submit", {"says": [said, own]})["reviews"]
    edit = rudi.get(f"rationales/{made[0]['edited']}")
    assert (edit["parent"], edit["author"], edit["source"]) == (rationale["id"], "rudi", "person")
    assert edit["decision"]["outcome"] == "approved"
    assert rudi.get(f"rationales/{rationale['id']}")["decision"]["outcome"] == "superseded"
    assert rudi.get(f"rationales/{made[1]['rationale']}")["text"].startswith("Mine.")


def test_undo_gives_the_question_back_with_what_was_said(
    questions: list[Question], rudi: Caller
) -> None:
    bench = rudi.post("review/next")
    decide(rudi, bench, "reject")
    shown = rudi.post("review/next")["item"]
    back = rudi.post("review/undo", {})
    assert back["item"] == bench["item"] and not Decision.objects.exists()
    said = back["before"][str(bench["rationales"][0]["id"])]
    assert said["verdict"] == "reject" and said["reasons"] == ["wrong_step"]
    # The answer got lost: the same undo again takes nothing more back.
    assert rudi.post("review/undo", {"again": True, "shown": shown})["item"] == bench["item"]
    assert rudi.get("reviews")["items"][0]["withdrawn_at"] is not None
    rudi.post("review/undo", {}, status=409)


def test_a_question_that_was_passed_on_comes_to_somebody_else(
    questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    bench = rudi.post("review/next")
    rudi.post(f"review/items/{bench['item']}/skip", {"reason": "too long"}, status=204)
    assert rudi.post("review/next")["item"] != bench["item"]
    assert ada.post(f"questions/{bench['question']['id']}/claim")["item"] == bench["item"]


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "approve"},
        {"rationale": "1", "verdict": "approve"},
        {"rationale": 1, "verdict": "perhaps"},
        {"rationale": 1, "verdict": "reject"},
        {"rationale": 1, "verdict": "approve", "step_labels": {"1": 5}},
        {"rationale": 1, "verdict": "approve", "decided_by": "ada"},
        {"rationale": 10**30, "verdict": "approve"},
        {"rationale": 1, "verdict": "approve", "comment": "a\ud800"},
    ],
    ids=lambda said: str(said)[:40],
)
def test_what_is_no_decision_is_refused_whole(
    said: dict[str, Any], questions: list[Question], rudi: Caller
) -> None:  # A6
    bench = rudi.post("review/next")
    good = says(bench)[:1]
    rudi.post(f"review/items/{bench['item']}/submit", {"says": [*good, said]}, status=400)
    assert not Review.objects.exists()


def test_with_overlap_nobody_sees_anothers_word_before_all_have_spoken(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    set_overlap(project, 2)
    other = person("olga")
    add_member(project, "olga", "reviewer")
    olga = Caller(other, "review")
    bench = rudi.post("review/next")
    rationale = bench["rationales"][0]["id"]
    own = {"rationale": None, "verdict": "approve", "edited_text": "Mine.\nAnswer: 3"}
    sent = [*says(bench), own]
    made = rudi.post(f"review/items/{bench['item']}/submit", {"says": sent})["reviews"]
    mine = made[-1]["rationale"]
    assert [one["reviewer"] for one in rudi.get(f"rationales/{rationale}")["reviews"]] == ["rudi"]
    assert olga.get(f"rationales/{rationale}")["reviews"] == []
    olga.get(f"rationales/{mine}", status=404)
    assert mine not in [one["id"] for one in olga.get("rationales")["items"]]
    assert [one["reviewer"] for one in ada.get(f"rationales/{rationale}")["reviews"]] == ["rudi"]
    assert olga.get("reviews")["items"] == [] and len(ada.get("reviews")["items"]) == 3
    again = olga.post(f"questions/{bench['question']['id']}/claim")
    assert mine not in [one["id"] for one in again["rationales"]]
    decide(olga, again, "reject")
    assert olga.get(f"rationales/{rationale}")["decision"] is None


def test_an_admin_decides_where_reviews_disagree(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    set_overlap(project, 2)
    add_member(project, person("olga").username, "reviewer")
    olga = Caller(User.objects.get(username="olga"), "review")
    bench = rudi.post("review/next")
    decide(rudi, bench)
    decide(olga, olga.post(f"questions/{bench['question']['id']}/claim"), "reject")
    (row,) = ada.get("adjudications")["items"]
    told = ada.get(f"adjudications/{row['item']}")
    assert {one["reviewer"] for one in told["reviews"]} == {"rudi", "olga"}
    place = f"adjudications/{row['item']}"
    rejected = says(bench, "reject")
    ada.post(f"{place}/decide", {"says": rejected})
    assert set(Decision.objects.values_list("outcome", flat=True)) == {"rejected"}
    ada.post(f"{place}/decide", {"says": rejected}, status=409)
    ada.post(f"{place}/undo", status=204)
    assert not Decision.objects.exists() and ada.get("adjudications")["items"]


def test_a_blind_project_names_no_teacher_to_a_reviewer(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    Project.objects.update(is_blind=True, hides_reference=True)
    bench = rudi.post("review/next")
    assert {one["teacher"] for one in bench["rationales"]} == {None}
    assert bench["question"]["reference_answer"] is None and bench["question"]["reference_hidden"]
    assert "strong" not in str(bench)
    assert {one["teacher"] for one in rudi.get("rationales")["items"]} == {None}
    assert {one["temperature"] for one in rudi.get("rationales")["items"]} == {None}
    # At the bench an admin reviews as blind as anybody.
    assert {one["teacher"] for one in ada.post("review/next")["rationales"]} == {None}
    teacher = ada.get("teachers")["items"][0]["id"]
    assert ada.get(f"rationales?teacher={teacher}")["items"][0]["teacher"] == "strong"
    Rationale.objects.update(reasoning="As strong I think so.", finish_reason="length")
    detail = rudi.get(f"rationales/{bench['rationales'][0]['id']}")
    assert (detail["reasoning"], detail["finish_reason"]) == ("", "")
    assert detail["completion_tokens"] is None and "strong" not in str(detail)
    run = GenerationRun.objects.create(project=project, temperatures=[0.5], samples=1)
    run.teachers.set(Teacher.objects.filter(pk=teacher))
    assert "strong" not in str(rudi.get(f"runs/{run.pk}"))
    frozen(project, teachers=["strong"])
    assert "strong" not in str(rudi.get("datasets/1")) + str(rudi.get("datasets"))
    rudi.get(f"rationales?teacher={teacher}", status=400)
    rudi.get("teachers", status=403)
    rudi.get(f"teachers/{teacher}", status=403)
    asked = rudi.get(f"questions/{bench['question']['id']}")
    assert asked["reference_answer"]


def test_a_control_looks_like_any_other_question(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    bench = ada.post(f"questions/{questions[0].pk}/claim")
    decide(ada, bench, "reject")
    put = ada.call("PUT", f"questions/{questions[0].pk}/control", {"note": "clear"})
    (row,) = ada.get("controls")["items"]
    assert (row["question"], row["note"], row["met"]) == (questions[0].pk, "clear", 0)
    assert set(put["verdicts"].values()) == {"reject"}
    Project.objects.update(control_percent=50)
    seen = {}
    while (one := rudi.post("review/next"))["item"] is not None:
        seen[one["question"]["id"]] = one
        decide(rudi, one)
    control = seen[questions[0].pk]
    assert {one["decision"] for one in control["rationales"]} == {None}
    rationale = control["rationales"][0]["id"]
    told = rudi.get(f"rationales/{rationale}")["decision"]  # as his own word left it, not as hers
    assert (told["outcome"], told["reviewer"]) == ("approved", "rudi")
    assert rudi.get(f"questions/{questions[0].pk}")["queue_status"] == "done"
    assert rudi.get("rationales?decision=rejected")["items"] == []
    assert rudi.get("")["control_percent"] is None and ada.get("")["control_percent"] == 50
    ada.call("DELETE", f"questions/{questions[0].pk}/control", status=204)
    ada.call("DELETE", f"questions/{questions[0].pk}/control", status=409)
    ada.call("PUT", f"questions/{questions[1].pk}/control", {}, status=200)


def test_a_flag_of_a_question_is_settled_by_an_admin(
    questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    place = f"questions/{questions[0].pk}/flags"
    first = rudi.post(place, {"kind": "wrong_reference", "comment": "It is 5."}, status=201)
    assert rudi.post(place, {"kind": "wrong_reference"}, status=201)["id"] == first["id"]
    assert [one["id"] for one in rudi.get(place)] == [first["id"]] and ada.get(place) == []
    rudi.post(place, {"kind": "other"}, status=400)
    rudi.post(place, {"kind": "boring"}, status=400)
    (row,) = ada.get("flags")["items"]
    assert (row["username"], row["comment"]) == ("rudi", "It is 5.")
    ada.call("DELETE", f"flags/{row['id']}", status=404)
    ada.post(f"flags/{row['id']}/settle", {"settlement": "corrected"}, status=204)
    ada.post(f"flags/{row['id']}/settle", {"settlement": "again"}, status=409)
    rudi.call("DELETE", f"flags/{row['id']}", status=409)
    assert rudi.get(place) == []
    assert ada.get("flags")["items"] == []


def test_questions_are_set_aside_for_a_person(
    questions: list[Question], rudi: Caller, ada: Caller
) -> None:
    assert ada.post("assignments", {"username": "rudi", "domain": "shop"}) == {"questions": 3}
    assert ada.get("assignments") == [{"username": "rudi", "open": 3, "done": 0}]
    assert ada.post("review/next")["nothing"]["state"] == "others"
    assert rudi.post("review/next")["item"] is not None
    ada.post("assignments", {"username": "sam"}, status=400)
    ada.post("assignments", {"username": "rudi", "state": "nonsense"}, status=400)
    assert ada.call("DELETE", "assignments/rudi")["questions"] >= 2
    rudi.post("review/release", status=204)
    few = {"username": "rudi", "difficulty": "1", "most": 2}
    assert ada.post("assignments", few) == {"questions": 2}
    ada.call("DELETE", "assignments/rudi")
    for fields in ({"difficulty": "9"}, {"flagged": True}):
        assert ada.post("assignments", {"username": "rudi", **fields}) == {"questions": 0}
    rudi.post(f"questions/{questions[1].pk}/flags", {"kind": "ambiguous"}, status=201)
    assert ada.post("assignments", {"username": "rudi", "flagged": True}) == {"questions": 1}
    assert ada.post("review/next")["item"] is not None


def test_an_item_of_another_project_is_not_there(
    questions: list[Question], stranger: User
) -> None:  # A2
    item = QueueItem.objects.first().pk
    sam = Caller(stranger)
    for act, body in (
        ("ahead", None), ("renew", None), ("skip", {}),
        ("submit", {"says": [{"rationale": 1, "verdict": "approve"}]}),
    ):  # fmt: skip
        sam.post(f"/projects/elsewhere/review/items/{item}/{act}", body, status=404)


def test_agreement_is_counted_by_a_worker_and_read(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller, admin_user: User
) -> None:
    assert ada.get("agreement")["counted_at"] is None
    set_overlap(project, 2)
    while (bench := rudi.post("review/next"))["item"] is not None:
        decide(rudi, bench)
        decide(ada, ada.post(f"questions/{bench['question']['id']}/claim"))
    ordered = rudi.post("agreement", status=202)
    assert rudi.post("agreement", status=202)["id"] == ordered["id"]
    count_agreement(ordered["id"])
    told = ada.get("agreement")
    assert told["counted_at"] and [(p["a"], p["b"]) for p in told["pairs"]] == [("ada", "rudi")]
    assert len(rudi.get("agreement")["pairs"]) == 1


def test_the_history_of_rationales_holds_what_was_taken_back_and_who(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller
) -> None:  # E10
    bench = rudi.post("review/next")
    decide(rudi, bench, "reject")
    rudi.post("review/undo", {})
    place = f"questions/{bench['question']['id']}/history"
    (first, _) = ada.get(place)
    told = [event["what"] for event in first["events"]]
    assert told[0].startswith("written") and any("rudi" in what for what in told)
    assert any(event["taken_back"] for event in first["events"])
    set_overlap(project, 2)
    assert "ada" not in str(rudi.get(place))


def test_a_search_by_meaning_is_its_owners_and_shows_what_they_may_see(
    project: Project, questions: list[Question], rudi: Caller, ada: Caller, admin_user: User
) -> None:
    made = rudi.post("meaning-searches", {"text": "buys eggs"}, status=202)
    assert made["waits"] and made["hits"] == []
    rationale = questions[0].rationales.first()
    hidden = Rationale.objects.create(
        project=project, question=questions[0], source="person", author=admin_user, text="Mine."
    )
    answer(MeaningSearch.objects.get(), [(hidden.pk, 0.9), (rationale.pk, 0.8)], 6)
    found = rudi.get(f"meaning-searches/{made['id']}")
    assert not found["waits"] and found["hits"] == [{"id": rationale.pk, "cosine": 0.8}]
    ada.get(f"meaning-searches/{made['id']}", status=404)  # A3
    rudi.post("meaning-searches", {"like": rationale.pk}, status=202)
    rudi.post("meaning-searches", {"like": hidden.pk}, status=404)
    rudi.post("meaning-searches", {"text": " "}, status=400)
