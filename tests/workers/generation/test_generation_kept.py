"""What servers answer is kept as it was: refusals, thoughts, why an answer ended, and what is no answer."""

import json

import pytest

from tests.workers.generation.generation_server import Reply, chat
from tests.workers.generation.test_generation_openai import ask
from workers.generation.chat.answers import finish_of

THOUGHT, FINAL = "2 + 3 is 5, I think.", "The answer is 5."


def one(reply, **options):
    (done,), received = ask(lambda n, r: reply, **options)
    return done, len(received)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("error", "error"),
        ("abort", "abort"),
        ("ABORTED", "abort"),
        ("content_filter", "content_filter"),
        ("end_turn", "stop"),
        (None, ""),
        ("", ""),
        ("something_new", ""),
        (7, ""),
    ],
)
def test_why_an_answer_ended_is_kept_and_never_made_up(said, kept):
    done, sent = one(chat(finish=said))
    assert (done.finish_reason, done.text, done.error, sent) == (kept, "The answer is 5.", "", 1)


def test_a_server_that_does_not_say_why_is_not_known_to_have_stopped():
    body = {"choices": [{"message": {"content": "5"}}], "usage": {}}
    done, _ = one(Reply(body=json.dumps(body).encode()))
    assert (done.finish_reason, done.text) == ("", "5") and finish_of([]) == ""


@pytest.mark.parametrize(
    "reply",
    [
        chat(None, refusal="I cannot help with that."),
        chat("", refusal="I cannot help with that."),
        chat([{"type": "refusal", "refusal": "I cannot help with that."}]),
    ],
)
def test_a_refusal_is_one_and_is_not_asked_for_again(reply):
    done, sent = one(reply)
    assert (done.finish_reason, done.text, done.error) == (
        "refusal",
        "I cannot help with that.",
        "",
    )
    assert sent == 1


def test_what_a_filter_withheld_is_not_asked_for_again():
    done, sent = one(chat("", finish="content_filter"))
    assert (done.finish_reason, done.text, done.error, sent) == ("content_filter", "", "", 1)


@pytest.mark.parametrize("finish", ["error", "abort"])
def test_what_a_server_broke_off_before_its_first_word_is_asked_for_again(finish):
    (done,), received = ask(lambda n, r: chat("", finish=finish) if n == 0 else chat())
    assert (done.finish_reason, done.text, len(received)) == ("stop", "The answer is 5.", 2)


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
    {"type": "text", "text": FINAL},
]
CHANNELS = (
    f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>"
    f"{FINAL}<|return|>"
)


@pytest.mark.parametrize(
    "reply",
    [
        chat(FINAL, reasoning_content=THOUGHT),
        chat(FINAL, reasoning=THOUGHT),
        chat(FINAL, reasoning=THOUGHT, reasoning_content=THOUGHT),  # both, as some give it: once
        chat(FINAL, thinking=THOUGHT),
        chat(FINAL, reasoning_details=[{"type": "reasoning.text", "text": THOUGHT}]),
        chat(PARTS),
        chat([{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": FINAL}]),
        chat([{"type": "reasoning", "text": THOUGHT}, {"type": "output_text", "text": FINAL}]),
        chat(CHANNELS),
        chat(CHANNELS.removesuffix("<|return|>")),
        chat(CHANNELS.replace("analysis<", "analysis <|constrain|>json<")),
        chat(f"analysis{THOUGHT}assistantfinal{FINAL}"),  # special tokens taken out
    ],
)
def test_thoughts_stand_apart_from_the_final_text_however_they_come(reply):
    done, _ = one(reply)
    assert (done.reasoning, done.text) == (THOUGHT, FINAL)
    assert done.rationale == f"<think>\n{THOUGHT}\n</think>\n\n{FINAL}"


@pytest.mark.parametrize("text", ["An analysis of it: 5.", "The final<|x|> 5", "analysis: 5"])
def test_a_text_without_channels_stays_as_it_is(text):
    done, _ = one(chat(text))
    assert (done.text, done.reasoning) == (text, "")


@pytest.mark.parametrize(
    "reply",
    [
        chat("", finish="length", reasoning_content=THOUGHT),
        chat(f"<|channel|>analysis<|message|>{THOUGHT}", finish="length"),
        chat([PARTS[0]], finish="abort"),
    ],
)
def test_a_thought_that_was_cut_off_stays_open(reply):
    done, _ = one(reply)
    assert done.rationale == f"<think>\n{THOUGHT}"


def test_a_page_where_json_was_asked_is_told_with_its_words_and_not_asked_for_four_times():
    page = b"<!DOCTYPE html><html><head><style>b{}</style><title>Sign in</title></head><body>Hello"
    done, sent = one(Reply(body=page))
    assert "not JSON but an HTML page: Sign in Hello" in done.error and "/v1" in done.error
    assert sent == 2


def test_other_texts_are_told_with_their_first_words():
    done, _ = one(Reply(body=b"upstream connect error or disconnect"), attempts=1)
    assert "not JSON: upstream connect error" in done.error
    done, _ = one(Reply(body=b""), attempts=1)
    assert "not JSON: it is empty" in done.error


EMPTY = [
    Reply(429, b'{"error": {"message": "You exceeded your current quota, please check your plan.", '
               b'"type": "insufficient_quota", "code": "insufficient_quota"}}'),
    Reply(402, b'{"error": {"message": "Insufficient Balance"}}'),
    Reply(400, b'{"error": {"message": "Your credit balance is too low to access the API."}}'),
    Reply(403, b'{"error": {"type": "billing_not_active", "message": "no"}}'),
    Reply(200, b'{"error": {"code": 402, "message": "Insufficient credits"}}'),
]  # fmt: skip
FULL = [
    Reply(429, b'{"error": {"message": "Rate limit reached for gpt-x on tokens per minute (TPM)", '
               b'"code": "rate_limit_exceeded"}}'),
    Reply(429, b'{"error": {"message": "You exceeded your current quota. Please retry in 3s."}}'),
]  # fmt: skip


@pytest.mark.parametrize("reply", EMPTY)
def test_an_empty_account_ends_the_batch_at_once(reply):
    done, received = ask(lambda n, r: reply, count=50, concurrency=4)
    assert len(received) <= 4 and len(done) == 50
    assert all(c.halt and c.final and "no quota left" in c.error for c in done)


@pytest.mark.parametrize("reply", FULL)
def test_a_limit_a_minute_is_waited_for(reply):
    (done,), received = ask(lambda n, r: reply if n == 0 else chat())
    assert done.text == "The answer is 5." and len(received) == 2
