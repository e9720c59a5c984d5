"""What an OpenAI-compatible server answered, read strictly.

Everything here comes from a stranger: each field is looked at before it is used, and what is
shown of it is short and free of control characters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

SHOWN = 300
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class BadAnswer(Exception):
    """The answer cannot be used. ``retry``: asking again may help."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


@dataclass(frozen=True)
class Answer:
    """The parts of an answer that count; token counts are 0 where the server did not say."""

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
        raise BadAnswer(f"The server answered with an error: {error_text(data)}", retry=True)
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
    message = choice["message"]
    text = _content(message.get("content"))
    reasoning = _content(message.get("reasoning_content") or message.get("reasoning"))
    try:
        finish = _finish(choice.get("finish_reason"))
    except BadAnswer as error:
        return error
    if not text.strip() and not reasoning.strip():
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
        1 + len(_content(m.get("content"))) + len(_content(m.get("reasoning_content")))
        for m in (one["message"] for one in choices)
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
    try:
        return error_text(json.loads(body))
    except (ValueError, RecursionError):
        return shown(body[: SHOWN * 4].decode("utf-8", "replace"))


def shown(text: str) -> str:
    """Short, one line, without ANSI codes, control characters and direction marks."""
    text = " ".join(_CONTROL.sub(" ", text[: SHOWN * 4]).split())
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _object(body: bytes) -> dict:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("The server's answer is not JSON.", retry=True) from error
    if not isinstance(data, dict):
        raise BadAnswer("The server's answer is not a JSON object.", retry=True)
    return data


def _content(value: Any) -> str:
    """Text, or a list of parts of which the text ones count."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _finish(value: Any) -> str:
    if value in ("length", "max_tokens"):
        return "length"
    if value == "content_filter":
        raise BadAnswer("The server's content filter withheld the answer.", retry=False)
    if value in ("tool_calls", "function_call"):
        raise BadAnswer("The model asked for a tool instead of answering.", retry=False)
    return "stop"


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
