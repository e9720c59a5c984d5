"""Why a generation ended, as a file says it, in our words where they are known."""

from typing import Any

WORDS = {
    **dict.fromkeys(("eos", "eos_token", "end_turn", "stop_sequence"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length", "max_output_tokens"), "length"),
    **dict.fromkeys(("aborted", "cancelled", "canceled"), "abort"),
}


def finish_reason(said: Any) -> str:
    """Never "stop" where the file does not say so: the grader takes that for a complete answer."""
    if not isinstance(said, str):
        return ""
    said = said.strip().lower()[:20]
    return WORDS.get(said, said) if said.isprintable() else ""
