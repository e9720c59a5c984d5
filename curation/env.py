"""Readers of environment variables that fail loudly: a wrong value names itself and what to do."""

import os
import secrets
import stat
import warnings
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def read_bool(name: str, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.strip().lower() in _TRUE:
        return True
    if raw.strip().lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is neither true nor false: use 1 or 0.")


def read_int(name: str, default: int) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        return int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r} is not a whole number.") from None


def read_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(name, default).strip().lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(allowed)}.")
    return value


def read_list(name: str, default: list[str]) -> list[str]:
    raw = os.environ.get(name)
    if raw is None:
        return default
    return [part.strip() for part in raw.split(",") if part.strip()]


def keep_private(home: Path) -> None:
    """From here on what this process and its children write is readable by its user alone, and so is
    `home`, also one that an older Chainwright left open."""
    os.umask(0o077)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = home.stat()
    except OSError as error:
        raise ImproperlyConfigured(
            f"CHAINWRIGHT_HOME={home} cannot be made ({error.strerror}): name a folder that can be written."
        ) from None
    if not now.st_mode & 0o077:
        return
    if now.st_mode & stat.S_ISVTX:
        raise ImproperlyConfigured(
            f"CHAINWRIGHT_HOME={home} is a folder that all users of this machine share: name one of its own."
        )
    tighten(home, "secrets")


def tighten(path: Path, holds: str) -> None:
    """Make a file or folder that is there readable by its user alone, wherever it lies; warn where that
    cannot be done. `holds` says in the warning what others could read."""
    try:
        mode = path.stat().st_mode
        if not mode & 0o077:
            return
        if mode & stat.S_ISVTX:
            why = "all users of this machine share that folder"
        else:
            path.chmod(stat.S_IMODE(mode) & ~0o077)
            return
    except FileNotFoundError:
        return  # made later, by a process with the mask above
    except OSError as error:
        why = error.strerror
    warnings.warn(
        f"Others on this machine may read {path}, which holds {holds}, and that cannot be changed "
        f"({why}): make it readable by the user of Chainwright alone.",
        stacklevel=2,
    )


def read_secret_key(home: Path, *, production: bool) -> str:
    """The signing key: from SECRET_KEY; else, outside production, a random one kept in `home`.

    Production refuses to start without SECRET_KEY: a key that is made up on each machine would
    sign people out at every deploy and differ between web processes.
    """
    given = os.environ.get("SECRET_KEY")
    if given:
        if len(given) < 32:
            raise ImproperlyConfigured(
                "SECRET_KEY is shorter than 32 characters: use a random one."
            )
        return given
    if production:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Production needs a random one of at least 32 characters, for "
            'instance from: python -c "import secrets; print(secrets.token_urlsafe(50))"'
        )
    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x") as file:
                path.chmod(0o600)
                file.write(secrets.token_urlsafe(50))
        except FileExistsError:
            pass  # another process was first; its key is the key
    return path.read_text().strip()
