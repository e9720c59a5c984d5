"""When two questions are the same one."""

import hashlib
import json
from collections.abc import Sequence

from curation.text.clean import clean


def content_hash(text: str, choices: Sequence[str]) -> str:
    """SHA-256 of a question's text and choices, blind to white space at its ends and runs of it, and to
    the two ways in which Unicode spells an accent."""
    content = [
        " ".join(clean(text).split()),
        [" ".join(clean(choice).split()) for choice in choices],
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def text_key(text: str) -> int:
    """63 bits of SHA-256 of a question's text alone, by which one with other choices is found."""
    digest = hashlib.sha256(" ".join(clean(text).split()).encode()).digest()
    return int.from_bytes(digest[:8]) >> 1
