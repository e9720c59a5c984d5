"""Make tokens, look them up, take them back."""

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from curation.api.models import ApiToken, Scope
from curation.db.quotas import lock, refuse_beyond
from curation.errors import Conflict, Invalid
from curation.projects.models import Membership, Project, User
from curation.text.clean import clean_line
from curation.web import rate_limit

# So that a person, or a tool that looks for secrets in repositories, knows one when it sees it.
PREFIX = "cw_"
HINT = len(PREFIX) + 4
MAX_LENGTH = 100
MAX_DAYS = 366
MAX_TOKENS = 50
USED_EVERY = timedelta(minutes=1)


def digest(secret: str) -> str:
    """SHA-256 in hex. The secret is 32 random bytes, so no salt or slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_token(
    user: User, name: str, *, scope: str, days: int, project: Project | None = None
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is stored nowhere. Raises Invalid for what cannot be one, and
    Conflict where the person has a token of this name."""
    name = clean_line(name)
    if not name or len(name) > 80 or not name.isprintable():
        raise Invalid("A token needs a name of at most 80 characters, such as “nightly script”.")
    if scope not in Scope.values:
        raise Invalid(f"{scope!r} is no scope: choose one of {', '.join(Scope.values)}.")
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"A token holds for 1 to {MAX_DAYS} days.")
    if project is not None and not Membership.objects.filter(user=user, project=project).exists():
        raise Invalid("You are not a member of this project.")
    rate_limit.spend(rate_limit.NEW_TOKENS, user.pk)
    secret = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    try:
        with transaction.atomic():
            lock(user)
            refuse_beyond(
                in_force(user),
                MAX_TOKENS,
                "You have {most} tokens: revoke one that is no longer used.",
            )
            # An expired token keeps its row; its name is free again.
            ApiToken.objects.filter(
                user=user, name=name, revoked_at__isnull=True, expires_at__lte=now
            ).update(revoked_at=now)
            token = ApiToken.objects.create(
                user=user,
                name=name,
                sha256=digest(secret),
                hint=secret[:HINT],
                scope=scope,
                project=project,
                expires_at=now + timedelta(days=days),
            )
    except IntegrityError:
        raise Conflict(f"You have a token “{name}” already: revoke it, or choose a name.") from None
    return token, secret


def find(secret: str) -> ApiToken | None:
    """The token that this secret is, if it is in force and its person may come in."""
    if not secret.startswith(PREFIX) or len(secret) > MAX_LENGTH:
        return None
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(sha256=digest(secret), revoked_at__isnull=True, expires_at__gt=now)
        .filter(user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or token.last_used_at < now - USED_EVERY):
        # Once a minute: a read must not cost a write each time.
        ApiToken.objects.filter(pk=token.pk).filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USED_EVERY)
        ).update(last_used_at=now)
    return token


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """All tokens that the person made, the newest first."""
    return ApiToken.objects.filter(user=user).select_related("project").order_by("-id")


def in_force(user: User) -> QuerySet[ApiToken]:
    return tokens_of(user).filter(revoked_at__isnull=True, expires_at__gt=timezone.now())


def revoke(user: User, token_id: int) -> None:
    """Take a token back, at once and for good. Raises Conflict where the person has none such."""
    mine = ApiToken.objects.filter(user=user, pk=token_id, revoked_at__isnull=True)
    if not mine.update(revoked_at=timezone.now()):
        raise Conflict("You have no such token, or it was revoked already.")
