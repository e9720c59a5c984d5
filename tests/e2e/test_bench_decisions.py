"""Everything that a reviewer can say at the bench, by keyboard in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest

from curation.projects.models import Preference, Project, User
from curation.rationales.models import Rationale
from curation.reviews.models import QuestionFlag, Review, Seat, Skip
from tests.e2e.benching import begun, counted, current, goes_on, item_of, press, with_next

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
Make = Callable[..., list[Any]]
Visit = Callable[..., Any]


def reload(page: Any) -> None:
    page.reload()
    begun(page)


def test_a_comment_goes_with_any_verdict_and_survives_a_reload(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "c")
    page.keyboard.type("Why not shorter?")
    reload(page)
    press(page, "c")
    assert page.input_value("#comment textarea") == "Why not shorter?"
    press(page, "Enter")
    assert "Why not shorter?" in current(page).locator(".told").inner_text()
    press(page, "a", "a", "a", "Enter")
    goes_on(page, item)
    counted(page, 2)
    assert Review.objects.get(verdict="approve", comment="Why not shorter?")


def test_the_best_rationale_is_marked_and_a_rejected_one_cannot_be(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    press(page, "b")
    assert current(page).locator(".chip.best").is_visible()
    press(page, "x", "2", "Enter", "ArrowLeft")  # the best one is rejected: the mark goes
    assert page.locator(".chip.best:visible").count() == 0
    press(page, "b")
    assert "cannot be the best" in page.inner_text("#notice")
    press(page, "a", "ArrowRight", "b", "a", "a")
    reload(page)
    assert page.locator(".chip.best:visible").count() == 1
    press(page, "Enter")
    goes_on(page, item)
    counted(page, 2)
    assert Review.objects.filter(is_best=True).count() == 1
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{item}"] .chip.best:visible')


def test_an_own_rationale_is_written_kept_and_sent(questions: list[Any], visit: Visit) -> None:
    page = visit()
    item = item_of(page)
    press(page, "w")
    page.keyboard.type("Ann has 1 + 2 = 3 eggs.\nAnswer: 3")
    reload(page)
    press(page, "Enter")  # a draft alone is not sent
    assert "Decide on at least one rationale" in page.inner_text("#notice")
    press(page, "w", "Control+Enter")
    assert page.locator(".rationale.own.is-edit").count() == 1
    press(page, "ArrowRight", "ArrowRight", "a")
    assert "your own rationale" in page.inner_text("#notice")
    press(page, "Enter")
    goes_on(page, item)
    counted(page, 1)
    own = Rationale.objects.get(source="person")
    assert own.text.endswith("Answer: 3") and own.parent is None
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{item}"] .rationale.own.is-edit')


def test_a_flag_tells_an_admin_what_is_wrong_with_the_question_and_can_be_taken_back(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    press(page, "f", "2")
    page.focus("#flag textarea")
    page.keyboard.type("Which day?")
    reload(page)
    press(page, "f")
    assert page.input_value("#flag textarea") == "Which day?"
    assert page.locator("#flag [aria-pressed=true]").inner_text().endswith("ambiguous")
    page.check("#flag [name=reject]")
    press(page, "Escape", "f")
    page.check("#flag [name=reject]")
    page.click("#flag [type=submit]")
    page.wait_for_selector("#flag", state="hidden")
    flag = QuestionFlag.objects.get()
    assert (flag.kind, flag.comment, flag.withdrawn_at) == ("ambiguous", "Which day?", None)
    assert page.locator(".rationale.is-reject").count() == 2
    press(page, "f")
    page.wait_for_selector("#flag .flags li")
    page.click("#flag .flags button")
    page.wait_for_selector("#flag .standing", state="hidden")
    assert QuestionFlag.objects.get().withdrawn_at is not None


def test_a_skip_says_why_and_the_key_twice_skips_at_once(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    first = item_of(page)
    with_next(page)
    press(page, "s", "1", "Enter")
    goes_on(page, first)
    second = item_of(page)
    press(page, "s", "s")
    goes_on(page, second)
    page.wait_for_selector("#bench:not([data-sending])")
    said = dict(Skip.objects.values_list("item_id", "reason"))
    assert said == {int(first): "too hard for me", int(second): ""}
    press(page, "u")
    page.wait_for_selector(f'.table[data-item="{second}"]')


def test_undo_goes_back_over_many_questions(questions: list[Any], visit: Visit) -> None:
    page = visit()
    seen = []
    for _ in range(2):
        seen.append(item_of(page))
        press(page, "a", "x", "3", "Enter", "Enter")
        goes_on(page, seen[-1])
    counted(page, 4)
    for item in reversed(seen):
        press(page, "u")
        page.wait_for_selector(f'.table[data-item="{item}"] .rationale.is-reject')
        assert page.locator(".rationale.is-approve").count() == 1
    assert Review.objects.filter(withdrawn_at=None).count() == 0
    press(page, "Enter")
    goes_on(page, seen[0])
    counted(page, 6)


def test_the_next_question_is_in_hand_before_the_decisions_are_taken(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    with_next(page)
    held = []
    page.route("**/review/submit", lambda route: held.append(route))
    press(page, "a", "a", "a", "Enter")
    goes_on(page, item)
    assert not Review.objects.exists() and len(held) == 1
    held[0].continue_()
    counted(page, 2)
    with_next(page)
    assert Seat.objects.filter(holder__isnull=False, done_at=None).count() == 2


def test_what_the_server_refuses_comes_back_with_everything_typed(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    item = item_of(page)
    with_next(page)
    press(page, "e")
    page.keyboard.type(" Mine.")
    press(page, "Control+Enter")
    Seat.objects.filter(item=item).update(holder=None, held_until=None)
    press(page, "Enter")
    page.wait_for_selector(f'.table[data-item="{item}"] .edited')
    page.wait_for_selector("#notice:not([hidden])")
    assert "was not taken" in page.inner_text("#notice")
    assert "Mine." in page.inner_text(".edited")
    page.click("[data-notice-do]")
    goes_on(page, item)


def test_differences_to_another_rationale_are_shown_by_word_and_go_away(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    before = page.locator(".rationale").nth(1).locator(".steps").inner_html()
    press(page, "d")
    assert "compared with A" in page.inner_text("#notice")
    press(page, "ArrowRight")
    rationale = current(page)
    assert "against A" in page.inner_text("#notice")
    assert rationale.locator("ins").all_inner_texts() and rationale.locator("del").all_inner_texts()
    press(page, "d")
    assert rationale.locator("ins, del").count() == 0
    assert rationale.locator(".steps").inner_html() == before
    press(page, "Shift+D", "ArrowLeft")
    assert "A against B" in page.inner_text("#notice")


TWINS = (
    "First she has 1 egg.\nThen 1 + 2 = 3 eggs.\nAnswer: 3",
    "1. First, she has 1 egg\n2. So then 1 + 2 = <<1+2=3>>3 eggs!\nAnswer: 3",
    "At first she has 1 egg.\nThen 1 + 3 = 4 eggs.\nAnswer: 4",
)


def test_rationales_that_say_the_same_fold_and_are_decided_together(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(make_questions(1)[0], list(TWINS))
    page = visit()
    assert page.locator(".rationale:visible").count() == 2
    assert "1 more like A" in page.inner_text(".twins")
    press(page, "a")
    assert "which are like it: approved" in page.inner_text("#notice")
    press(page, "x", "3", "Enter", "Enter")
    counted(page, 3)
    assert Review.objects.filter(verdict="approve").count() == 2


def test_folded_rationales_unfold_and_are_decided_apart(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    make_rationales(make_questions(1)[0], list(TWINS))
    page = visit()
    press(page, "o")
    assert page.locator(".rationale:visible").count() == 3
    press(page, "a", "x", "3", "Enter")
    reload(page)  # what was decided apart stays apart
    assert page.locator(".rationale:visible").count() == 3
    assert page.locator(".is-approve").count() == page.locator(".is-reject").count() == 1


def test_keys_are_changed_kept_for_the_person_and_clashes_refused(
    questions: list[Any], visit: Visit, reviewer: User
) -> None:
    page = visit()
    press(page, "?")
    page.click("[data-keys-change]")
    page.click('#keys [data-act="approve"]')
    press(page, "x")
    page.wait_for_selector("#keys .told.bad")
    assert "“x” is taken" in page.inner_text("#keys .told")
    page.click('#keys [data-act="approve"]')
    press(page, "q")
    page.wait_for_selector("#keys .told:has-text('Saved')")
    press(page, "Escape")
    assert page.inner_text('.do [data-do="approve"] kbd') == "q"
    press(page, "a")
    assert page.locator(".is-approve").count() == 0
    press(page, "q")
    assert page.locator(".is-approve").count() == 1
    assert Preference.objects.get(user=reviewer).keys == {"approve": ["q"]}
    other = visit()  # another browser of the same person
    assert other.inner_text('.do [data-do="approve"] kbd') == "q"
    press(other, "?")
    other.click("[data-keys-change]")
    other.click("[data-keys-reset]")
    other.wait_for_selector("#keys .told:has-text('as they came')")
    assert other.inner_text('.do [data-do="approve"] kbd') == "a"


def test_the_scores_choose_a_reason_and_the_first_number_chooses_anew(
    questions: list[Any], visit: Visit
) -> None:
    page = visit()
    press(page, "ArrowRight", "x")  # the wrong rationale
    pressed = page.locator("#reasons [aria-pressed=true]")
    assert pressed.get_attribute("data-reason") == "wrong_answer"
    assert page.locator("#reasons .suggested").is_visible()
    press(page, "1")
    assert pressed.get_attribute("data-reason") == "wrong_answer"
    press(page, "2")
    assert pressed.count() == 2
    press(page, "Escape", "x", "3")
    assert pressed.get_attribute("data-reason") == "redundant"
    assert page.locator("#reasons .suggested").is_hidden()


def test_a_hidden_reference_is_shown_when_asked_and_nothing_gives_it_away_before(
    questions: list[Any], visit: Visit, project: Project
) -> None:
    Project.objects.update(hides_reference=True, is_blind=True)
    page = visit()
    assert not page.locator(".tells:visible").count()
    press(page, "Shift+X")
    assert "shows with the reference" in page.inner_text("#notice")
    press(page, "ArrowRight", "x")
    assert not page.locator("#reasons [aria-pressed=true]").count()
    press(page, "Escape", "r")
    assert page.locator(".answer b:visible").count() == 1
    assert page.locator(".chip.tells:visible").count() == 2
    assert page.locator(".wrote").count() == 0


def test_the_whole_job_is_done_by_keyboard_alone(
    make_questions: Make, make_rationales: Make, visit: Visit
) -> None:
    for one in make_questions(6):
        make_rationales(one, ["right", "wrong", "right", "wrong"])
    page = visit()

    def decide_all() -> None:
        press(page, "Shift+X")
        for _ in range(4):
            if page.locator(".rationale:visible:not(.is-approve, .is-reject, .is-edit)").count():
                press(page, "a")

    def go_on(*keys: str) -> None:
        item = item_of(page)
        press(page, *keys)
        goes_on(page, item)

    decide_all()
    go_on("b", "1", "Shift+Digit2", "Enter")  # the best one, a good and a bad step
    press(page, "e")
    page.keyboard.type("\nSo it is right.")
    press(page, "Control+Enter")
    decide_all()
    go_on("Enter")
    press(page, "w")
    page.keyboard.type("She has them all.\nAnswer: 5")
    press(page, "Control+Enter")
    decide_all()
    go_on("Enter")
    press(page, "f", "4")
    page.keyboard.type("Eggs of which kind?")
    press(page, "Enter")
    page.wait_for_selector("#notice:has-text('flagged')")
    decide_all()
    press(page, "c")
    page.keyboard.type("Dull.")
    go_on("Enter", "Enter")
    go_on("s", "2", "Enter")
    decide_all()
    go_on("Enter")
    assert page.locator(".empty").count()
    press(page, "u")
    page.wait_for_selector(".rationale.is-reject")
    go_on("Enter")
    counted(page, 5 * 4 + 1 + 4)
    standing = Review.objects.filter(withdrawn_at=None)
    assert standing.count() == 21 and standing.get(is_best=True).step_labels == {"1": 1, "2": -1}
    assert standing.get(verdict="edit").edited.text.endswith("So it is right.")
    assert Rationale.objects.get(source="person", parent=None).text.endswith("Answer: 5")
    assert QuestionFlag.objects.get().comment == "Eggs of which kind?"
    assert Skip.objects.get().reason == "too long for now"
    assert standing.get(comment="Dull.")
