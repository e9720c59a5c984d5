"""Which environment variables may be named as the key of a model's server.

The workers hold the keys and decide where they go (`workers.model_keys`); here stands only what a
form, the API, a command or a row takes as such a name. A pasted key is none.
"""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db.models import CheckConstraint, Q

PATTERN = r"^([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\Z"
MESSAGE = (
    "Give the name of an environment variable: SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. "
    "A key itself is never stored: if you have pasted one here, revoke it where it was made."
)
names_a_key = RegexValidator(PATTERN, MESSAGE)
HELP = (
    "The name of the worker’s environment variable that holds the key, such as FAR_API_KEY; the key "
    "itself is never stored. The operator lists the hosts that may receive it in FAR_API_KEY_HOSTS; "
    "without that list the key is not sent."
)


ADDRESS = (
    "The address must not hold a user name or password, a ? or a #: a key is never part of it. If you have "
    "pasted one here, revoke it where it was made, and name its environment variable instead."
)


def holds_no_key(address: str) -> None:
    """Raises ValidationError where a model's address could hold a key. The same rule as that of the
    workers (`workers.ssrf_guard.parse_url`), which would refuse it later; then it would be stored."""
    parts = urlsplit(address)
    if "@" in parts.netloc or "?" in address or "#" in address:
        raise ValidationError(ADDRESS)


class ForgetsAPastedKey:
    """A form that does not show again what was given for `api_key_env` or `base_url` where it was
    refused: it may be a key or hold one."""

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        for name in ("api_key_env", "base_url"):
            if name in self.errors:
                self.data = self.data.copy()
                self.data[self.add_prefix(name)] = ""


def only_names(constraint: str) -> CheckConstraint:
    """That `api_key_env` of a model is empty or such a name, as a constraint of this name."""
    condition = Q(api_key_env="") | Q(api_key_env__regex=PATTERN)
    return CheckConstraint(name=constraint, condition=condition, violation_error_message=MESSAGE)
