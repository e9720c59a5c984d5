"""Conversations: `messages` of role and content, ShareGPT's from and value, and their kin."""

from dataclasses import dataclass
from typing import Any

from curation.questions.shapes.finals import split_thought

WHO = ("role", "from", "author", "sender", "speaker")
WHAT = ("content", "value", "text", "message")
THOUGHT = ("reasoning_content", "thinking", "reasoning", "thought", "thoughts")
SYSTEM = {"system", "developer"}
USER = {"user", "human", "prompter", "question", "customer", "student", "instruction"}
ASSISTANT = {"assistant", "gpt", "bot", "model", "chatgpt", "answer", "ai", "agent", "teacher"}
SHOWN = {"user": "User", "assistant": "Assistant", "tool": "Tool"}


@dataclass(frozen=True)
class Chat:
    """system: system prompts; earlier: turns before the question, as a transcript; question: what is asked
    last; answer, reasoning: what the assistant then wrote and thought; facts: what its turn says besides."""

    system: str = ""
    earlier: str = ""
    question: str = ""
    answer: str = ""
    reasoning: str = ""


def is_chat(value: Any) -> bool:
    """A list of turns, each of which says who speaks."""
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(turn, dict)
        and isinstance(_who(turn), str)
        and any(key in turn for key in (*WHAT, *THOUGHT, "tool_calls"))
        for turn in value
    )


def _who(turn: dict[str, Any]) -> str | None:
    found = next((turn[key] for key in WHO if isinstance(turn.get(key), str | dict)), None)
    return found.get("role") if isinstance(found, dict) else found


def said(turn: dict[str, Any]) -> str:
    """The text of a turn; of one in parts their texts."""
    found = next((turn[key] for key in WHAT if turn.get(key) is not None), "")
    if isinstance(found, dict):
        found = found.get("parts") or found.get("text") or ""
    if isinstance(found, list):
        parts = [
            p if isinstance(p, str) else p.get("text") for p in found if isinstance(p, str | dict)
        ]
        return "\n".join(part for part in parts if isinstance(part, str))
    return found if isinstance(found, str) else str(found)


def read_chat(turns: list[dict[str, Any]]) -> Chat:
    """The last question of a conversation, what stands before it, and the answer to it."""
    system: list[str] = []
    spoken: list[tuple[str, str, str]] = []  # who, text, thought
    for turn in turns:
        who, text = (_who(turn) or "").strip().lower(), said(turn)
        if who in SYSTEM:
            system.append(text.strip())
            continue
        kind = "user" if who in USER else "assistant" if who in ASSISTANT else "tool"
        thought = next((turn[k] for k in THOUGHT if isinstance(turn.get(k), str)), "")
        if kind == "assistant":
            inside, text = split_thought(text)
            thought = thought.strip() or inside
        spoken.append((kind, text.strip(), thought.strip()))
    answer = reasoning = ""
    if spoken and spoken[-1][0] == "assistant":
        _, answer, reasoning = spoken.pop()
    while (
        spoken and spoken[-1][0] != "user"
    ):  # what led to the answer: calls of tools and their results
        kind, text, _ = spoken.pop()
        reasoning = f"{SHOWN[kind]}: {text}\n\n{reasoning}".strip()
    question = spoken.pop()[1] if spoken else ""
    earlier = "\n\n".join(f"{SHOWN[kind]}: {text}" for kind, text, _ in spoken if text)
    return Chat("\n\n".join(filter(None, system)), earlier, question, answer, reasoning)
