"""What the student can take: tokens by its own tokenizer, within its own context."""

import json
from pathlib import Path

from workers.scoring.metrics.conciseness import StudentLimit

_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length")


def student_limit(model: str, budget: int | None = None, *, name: str = "") -> StudentLimit:
    """The limit of a student: a folder, or a name on the Hugging Face hub.

    name: how errors call it, where people must not read the folder; default: as `model` says.
    budget: most tokens of a rationale; default: the context length that the model's config.json names.
    Raises ValueError when the tokenizer cannot be read, or when neither a budget nor a context is known.
    """
    from tokenizers import Tokenizer

    folder = Path(model)
    try:
        if folder.is_dir():
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        else:
            tokenizer = Tokenizer.from_pretrained(model)
    except Exception as error:  # the Rust library raises nothing narrower
        reason = str(error).replace(model, name or model)
        raise ValueError(f"The tokenizer of {name or model} cannot be read: {reason}") from None
    budget = budget or _context(model)
    if not budget:
        raise ValueError(
            f"The config.json of {name or model} names no context length; give a budget."
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False))

    return StudentLimit(count, budget, model)


def _context(model: str) -> int | None:
    path = Path(model) / "config.json"
    if not path.is_file():
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(model, "config.json")
        if not isinstance(found, str):
            return None
        path = Path(found)
    config = json.loads(path.read_text())
    found = next((config[key] for key in _CONTEXT_KEYS if isinstance(config.get(key), int)), None)
    return found if found and found > 0 else None
