"""The message of one choice, taken apart: the final text, what was thought before it, a refusal.

Servers say the thought in many ways. Here are those of vLLM, SGLang, DeepSeek (``reasoning_content``),
OpenRouter and newer vLLM (``reasoning``, ``reasoning_details``), Ollama and LFM (``thinking``), Mistral
(content parts of the type ``thinking``), OpenAI (parts of the type ``refusal``), and gpt-oss whose channels
a server left in the text. A ``<think>`` block in the text stays where it is: that is how a rationale holds
its thought.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
THOUGHT_PARTS = {"thinking", "reasoning", "reasoning.text", "reasoning.summary", "think"}
TEXT_PARTS = {"", "text", "output_text"}

# gpt-oss: <|channel|>analysis<|message|>...<|end|><|start|>assistant<|channel|>final<|message|>...<|return|>
_CHANNEL = re.compile(
    r"(?:<\|start\|>\s*+assistant[^<]*+)?<\|channel\|>\s*+(?P<name>\w++)[^<]*+(?:<\|constrain\|>[^<]*+)?"
    r"<\|message\|>(?P<said>.*?)(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
# The same where the server took the special tokens out and left the words between them.
_BARE_CHANNELS = re.compile(
    r"\A\s*analysis(?=\S)(?P<thought>.*?)assistantfinal(?P<text>.*)\Z", re.DOTALL
)


@dataclass(frozen=True)
class Message:
    """What a server's message says: the final ``text``, the ``thought`` before it, a ``refusal``."""

    text: str
    thought: str
    refusal: str


def read_message(message: dict[str, Any]) -> Message:
    """Take a message apart. Nothing of it is trusted: what is of no known shape counts as empty."""
    content = message.get("content")
    text, thoughts, refusals = _text_of(content), _thoughts_in(content), _refusals_in(content)
    said = next((found for f in THOUGHT_FIELDS if (found := _all_of(message.get(f))).strip()), "")
    if said:
        thoughts = [said, *thoughts]
    if isinstance(message.get("refusal"), str):
        refusals.insert(0, message["refusal"])
    thought, text = _channels(text)
    if thought:
        thoughts.append(thought)
    return Message(text, "\n\n".join(one for one in thoughts if one.strip()), "\n".join(refusals))


def _parts(content: Any) -> list[dict[str, Any]]:
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _kind(part: dict[str, Any]) -> str:
    kind = part.get("type", "")
    return kind if isinstance(kind, str) else "?"


def _text_of(content: Any) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in _parts(content) if _kind(part) in TEXT_PARTS]
    return "".join(text for text in texts if isinstance(text, str))


def _thoughts_in(content: Any) -> list[str]:
    return [_all_of(part) for part in _parts(content) if _kind(part) in THOUGHT_PARTS]


def _refusals_in(content: Any) -> list[str]:
    found = [part.get("refusal") for part in _parts(content) if _kind(part) == "refusal"]
    return [text for text in found if isinstance(text, str) and text.strip()]


def _all_of(value: Any, depth: int = 0) -> str:
    """All text of a thought, which is a text, a part with one, or a list of these."""
    if isinstance(value, str):
        return value
    if depth < 4 and isinstance(value, list):
        return "".join(_all_of(one, depth + 1) for one in value)
    if depth < 4 and isinstance(value, dict):
        names = ("thinking", "text", "content", "summary", "reasoning")
        return next((found for n in names if (found := _all_of(value.get(n), depth + 1))), "")
    return ""


def _channels(text: str) -> tuple[str, str]:
    """(thought, final text) of a text in which gpt-oss' channels stand; ("", the text) of any other."""
    if "<|channel|>" in text:
        found = list(_CHANNEL.finditer(text))
        if found:
            final = [m["said"].strip() for m in found if m["name"] == "final"]
            others = [m["said"].strip() for m in found if m["name"] != "final"]
            before = text[: found[0].start()].strip()
            return "\n\n".join(others), "\n\n".join([*([before] if before else []), *final])
    if bare := _BARE_CHANNELS.match(text):
        return bare["thought"].strip(), bare["text"].strip()
    return "", text
