"""What an OpenAI-compatible server answered, read strictly.

Everything here comes from a stranger: each field is looked at before it is used, and what is
shown of it is short and free of control characters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from workers.generation.chat import quota
from workers.generation.chat.message import read_message

SHOWN = 300
FIRST_WORDS = 120  # characters of what came where JSON was asked
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class BadAnswer(Exception):
    """The answer cannot be used. ``retry``: asking again may help; ``at_most``: attempts after which it is
    given up, however many are allowed; ``halt``: every further request would be answered so."""

    def __init__(
        self, reason: str, *, retry: bool, at_most: int = 1000, halt: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry, self.at_most, self.fatal, self.halt = retry, at_most, halt, halt


@dataclass(frozen=True)
class Answer:
    """The parts of an answer that count; token counts are 0 where the server did not say.

    finish_reason: one of `types.FINISH_REASONS`, "" where the server did not say, or said what nobody
    knows. A refusal is an answer: its text is what the model said instead of one, if anything.
    """

    text: str
    reasoning: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def read_answers(body: bytes, count: int = 1) -> list[Answer | BadAnswer]:
    """The choices of a chat completion, at most ``count``, in the order of their index.

    A server that gave fewer is taken as it is: the list is shorter, never empty. A choice that
    cannot be used stands as its BadAnswer. Raises BadAnswer where the whole answer is bad.

    The servers count tokens for all choices together. A choice that carries its ``token_ids``
    (vLLM's ``return_token_ids``) is counted by them; else the sum is shared out by length. The
    prompt was read once, so the first choice carries its tokens, and the others 0.
    """
    data = _object(body)
    if data.get("error"):
        said = error_text(data)
        if quota.is_empty(data, said):
            reason = f"The account at this address has no quota left: {said}"
            raise BadAnswer(reason, retry=False, halt=True)
        raise BadAnswer(f"The server answered with an error: {said}", retry=True)
    choices = data.get("choices")
    choices = choices[:count] if isinstance(choices, list) else []
    choices = [one for one in choices if isinstance(one, dict) and _is_message(one.get("message"))]
    if not choices:
        raise BadAnswer("The server's answer holds no choice.", retry=True)
    choices.sort(key=lambda one: _count(one.get("index")))
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    prompts = [_count(usage.get("prompt_tokens")), *(0 for _ in choices[1:])]
    written = _shares(choices, _count(usage.get("completion_tokens")))
    return [_choice(*parts) for parts in zip(choices, prompts, written, strict=True)]


def _is_message(value: Any) -> bool:
    return isinstance(value, dict)


def _choice(choice: dict, prompt_tokens: int, completion_tokens: int) -> Answer | BadAnswer:
    message = read_message(choice["message"])
    text, reasoning = message.text, message.thought
    finish = finish_of(choice.get("finish_reason"))
    if message.refusal.strip() and not text.strip():
        text, finish = message.refusal, "refusal"
    if finish == "tool":
        return BadAnswer("The model asked for a tool instead of answering.", retry=False)
    if not text.strip() and not reasoning.strip() and finish not in WITHHELD:
        if finish in ("error", "abort"):
            return BadAnswer(
                f"The server broke the answer off ({finish}) before its first word.", retry=True
            )
        if finish == "length":
            return BadAnswer(
                "The answer was cut off before its first word (hidden reasoning used up "
                "max_tokens). Raise max_tokens.",
                retry=False,
            )
        return BadAnswer("The server answered with an empty text.", retry=True)
    return Answer(text, reasoning, finish, prompt_tokens, completion_tokens)


def _shares(choices: list[dict], total: int) -> list[int]:
    """Tokens written in each choice: its own ids where it carries them, else its share of the sum."""
    ids = [one.get("token_ids") for one in choices]
    if all(isinstance(one, list) for one in ids):
        return [len(one) for one in ids]
    weights = [
        1 + len(m.text) + len(m.thought) + len(m.refusal)
        for m in (read_message(one["message"]) for one in choices)
    ]
    # Rounded running sums, so that the parts add up to the whole.
    ends, so_far = [], 0
    for weight in weights:
        so_far += weight
        ends.append(round(total * so_far / sum(weights)))
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def error_text(data: Any) -> str:
    """The message of an error body, of the shapes that servers use; else its beginning."""
    if isinstance(data, dict):
        error = data.get("error", data.get("detail", data.get("message")))
        if isinstance(error, dict):
            error = error.get("message") or error.get("code") or error
        data = error if error is not None else data
    return shown(data if isinstance(data, str) else json.dumps(data))


def error_body(body: bytes) -> str:
    """The same for bytes that may be anything."""
    data = as_json(body)
    return shown(body[: SHOWN * 4].decode("utf-8", "replace")) if data is None else error_text(data)


def as_json(body: bytes) -> Any:
    """The value of JSON, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def shown(text: str) -> str:
    """Short, one line, without ANSI codes, control characters and direction marks."""
    text = " ".join(_CONTROL.sub(" ", text[: SHOWN * 4]).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _object(body: bytes) -> dict:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_json(body) from error
    if not isinstance(data, dict):
        raise BadAnswer("The server's answer is not a JSON object.", retry=True)
    return data


def _not_json(body: bytes) -> BadAnswer:
    """What came instead, with its first words: a page and a stream come again however often one asks."""
    start = body[: SHOWN * 4].decode("utf-8", "replace")
    words = shown(start)
    words = words if len(words) <= FIRST_WORDS else words[: FIRST_WORDS - 1] + "…"
    said = f": {words}" if words else ": it is empty"
    if re.match(r"\s*(?:<!doctype html|<html|<head|<body)", start, re.IGNORECASE):
        words = shown(
            re.sub(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*>?", " ", start, flags=re.S | re.I)
        )
        return BadAnswer(
            f"The server's answer is not JSON but an HTML page: {words[:FIRST_WORDS] or '(no words)'}. "
            "Is the base URL that of the API (it often ends in /v1)?",
            retry=True,
            at_most=2,
        )
    if re.match(r"\s*(?:data|event|id|retry)?:", start):
        return BadAnswer(
            f"The server's answer is not JSON but an event stream{said}. It was asked for one answer "
            "(stream: false): this address streams all the same.",
            retry=False,
        )
    return BadAnswer(f"The server's answer is not JSON{said}", retry=True)


WITHHELD = ("content_filter", "refusal")  # there may be no text, and asking again gives the same
FINISH = {
    "stop": ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "completed", "complete"),
    "length": ("length", "max_tokens", "model_length", "max_output_tokens", "max_length"),
    "error": ("error", "failed"),
    "abort": ("abort", "aborted", "cancelled", "canceled", "interrupted"),
    "content_filter": ("content_filter", "safety", "recitation", "blocklist", "prohibited_content"),
    "refusal": ("refusal", "refused"),
    "tool": ("tool_calls", "function_call", "tool_use"),
}
_FINISH = {said: reason for reason, words in FINISH.items() for said in words}


def finish_of(value: Any) -> str:
    """Why an answer ended, of the words that servers have for it; "" where it is not known. Never "stop"
    where nobody said so: the grader takes that for an answer that is complete."""
    return _FINISH.get(value.strip().lower(), "") if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
