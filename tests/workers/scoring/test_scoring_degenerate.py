"""Texts that went wrong as texts, and thoughts that are looked at apart from the final text."""

import pytest

from workers.scoring import Item, score_items

QUESTION = (
    "Ana reads 2 hours a day and sleeps half as long at noon. How many hours is that in 4 days?"
)
SOUND = "She sleeps 2/2 = 1 hour.\nThat is 2 + 1 = 3 a day.\nSo 3*4 = 12.\nThe answer is 12."
GERMAN = "Ein Korb hat 12 Eier. Anna kauft 3 Körbe und isst 2 Eier. Wie viele Eier hat Anna nun?"


def scored(text, question=QUESTION, **fields):
    (one,) = score_items([Item("1", question, text, ("12",), **fields)])
    return one


def codes(one):
    return {flag.code for flag in one.flags}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("She sleeps an hour. " + "So we add once more. " * 40, "loop", "So we add once more."),
        ("She sleeps one hour, 2 + 1 = 3.\n" + "That is 3 a day.\n" * 20, "loop", "That is 3 a day."),
        ("So it is a" + "h" * 300, "one_character", "hhhh"),
        ("Ana liest 2 Stunden und schläft eine Stunde, das sind 3 Stunden, und in 4 Tagen 12.",
         "other_language", "Ana liest"),
        ("安娜每天读书两小时睡觉一小时所以一共是三小时四天是十二小时。答案是 12。", "other_language", "安娜"),
        ("I'm sorry, but I can't help with that.", "refusal", "I'm sorry"),
        (f"{QUESTION}\n{SOUND}", "restates_prompt", QUESTION),
        ("### Instruction: be brief\n" + SOUND, "prompt_leak", "### Instruction"),
        (SOUND + "<|im_end|>", "control_token", "<|im_end|>"),
    ],
)  # fmt: skip
def test_a_degenerate_text_is_flagged_with_its_place(text, code, place):
    one = scored(text)
    (flag,) = [flag for flag in one.flags if flag.code == code]
    assert text[flag.start : flag.end].lstrip().startswith(place)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (SOUND, QUESTION),
        ("1 + 1 = 2\n2 + 2 = 4\n4 + 4 = 8\n8 + 4 = 12", QUESTION),
        ("-" * 200 + "\n" + SOUND, QUESTION),
        ("12, 12, 12 and 12 are the four days.\nThe answer is 12.", QUESTION),
        ("Anna kauft 3 * 12 = 36 Eier und isst 2 davon, also hat sie nun 34 Eier, nicht viele.", GERMAN),
        (r"$\frac{1}{2} + \frac{1}{2} = 1$, so $1 + 1 = 2$." + "\n" + SOUND, QUESTION),
    ],
)  # fmt: skip
def test_ordinary_texts_are_not_degenerate(text, question):
    found = codes(scored(text, question))
    assert not found & {"loop", "one_character", "other_language", "refusal", "restates_prompt",
                        "prompt_leak", "control_token"}  # fmt: skip


def test_what_goes_round_and_round_is_no_longer_concise():
    assert scored(SOUND).conciseness == 1.0
    assert scored(SOUND + "\n" + "The answer is 12.\n" * 30).conciseness < 0.2


THOUGHT = (
    "She reads 2*4 = 9 hours. Wait, that's wrong, 2*4 = 8.\nHmm, it is 3.\nLet me check again: 3.\n"
)


@pytest.mark.parametrize("tags", [("<think>", "</think>"), ("[THINK]", "[/THINK]")])
def test_a_thought_is_told_apart_and_does_not_make_its_final_text_long_or_unsound(tags):
    plain, thinks = scored(SOUND), scored(f"{tags[0]}{THOUGHT}{tags[1]}\n{SOUND}")
    thought = thinks.details()["thought"]
    assert thought["corrections"] >= 3 and thought["length"] > 20
    assert plain.details()["thought"] is None
    assert (thinks.length, thinks.validity) == (plain.length, plain.validity)
    both = [Item(str(n), QUESTION, text, ("12",), group="g")
            for n, text in enumerate([SOUND, f"{tags[0]}{THOUGHT}{tags[1]}\n{SOUND}"])]  # fmt: skip
    assert [one.conciseness for one in score_items(both)] == [1.0, 1.0]


def test_brevity_is_measured_whatever_the_answer_is():
    wrong = SOUND.replace("12", "13")
    items = [
        Item(str(n), QUESTION, text, ("12",), group="g") for n, text in enumerate([SOUND, wrong])
    ]
    right, other = score_items(items)
    assert (right.correctness, other.correctness) == (1.0, 0.0)
    assert right.conciseness == other.conciseness == 1.0
    assert other.overall <= 0.4
