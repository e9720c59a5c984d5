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


def read_answer(body: bytes) -> Answer:
    """The first choice of a chat completion. Raises BadAnswer with the reason."""
    data = _object(body)
    if data.get("error"):
        raise BadAnswer(f"The server answered with an error: {error_text(data)}", retry=True)
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise BadAnswer("The server's answer holds no choice.", retry=True)
    text = _content(message.get("content"))
    reasoning = _content(message.get("reasoning_content") or message.get("reasoning"))
    finish = _finish(choice.get("finish_reason"))
    if not text.strip() and not reasoning.strip():
        if finish == "length":
            raise BadAnswer(
                "The answer was cut off before its first word (hidden reasoning used up "
                "max_tokens). Raise max_tokens.",
                retry=False,
            )
        raise BadAnswer("The server answered with an empty text.", retry=True)
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Answer(
        text=text,
        reasoning=reasoning,
        finish_reason=finish,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


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
