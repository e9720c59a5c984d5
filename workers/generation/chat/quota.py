"""Whether a server says that the account behind a key is empty.

Whoever asks again then gets the same, at once and for ever. What some call a quota is a limit a minute,
though: that one comes back, and says when.
"""

from __future__ import annotations

import re
from typing import Any

CODES = {
    *("insufficient_quota", "insufficient_balance", "insufficient_credits", "insufficient_funds"),
    *("billing_hard_limit_reached", "billing_not_active", "credit_balance_too_low"),
    *("payment_required", "exceeded_current_quota_error", "quota_exhausted", "402"),
}
_WORDS = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|(?:credit )?balance is (?:too low|not enough)|"
    r"billing hard limit|exceeded your current quota|no credits? (?:left|remaining)|out of credits",
    re.IGNORECASE,
)
_COMES_BACK = re.compile(
    r"\bretry\b|try again (?:in|after|at)|per (?:minute|second|hour|day)|\b[rt]pm\b", re.IGNORECASE
)


def is_empty(body: Any, said: str, wait: float | None = None) -> bool:
    """body: the error as JSON, if it is; said: its message; wait: seconds after which the server wants to
    be asked again, if it said so."""
    error = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(error, dict):
        names = ("code", "type", "status", "reason")
        if {str(error.get(name) or "").lower() for name in names} & CODES:
            return True
    return bool(wait is None and _WORDS.search(said) and not _COMES_BACK.search(said))
