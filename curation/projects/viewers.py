"""Who may see what, for apps to the left of the reviews, where that is known (curation.reviews.visibility).

What a reviewer may know of a rationale depends on reviews, decisions and controls, of which the lists of
questions and rationales know nothing. So the reviews register here whom to ask, and the lists ask.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from curation.projects.models import Membership, Project, Role


class Viewer(Protocol):
    """Somebody who looks at a project; see curation.reviews.visibility.Viewer."""

    is_admin: bool
    closed_filters: frozenset[str]
    tells_own: bool

    def refuse_closed(self, filters: Iterable[str]) -> None: ...
    def rationales(self, rows: QuerySet, filters: Iterable[str] = ()) -> QuerySet: ...
    def unseen(self, prefix: str = "") -> Q: ...
    def decided(self, outcome: str, kept: Q) -> Q: ...
    def reviewed_by(self, user_id: int) -> Q: ...
    def questions(self, rows: QuerySet, state: str) -> QuerySet: ...
    def is_silent(self, question: Any) -> bool: ...
    def decisions_of(self, rows: Sequence[Any]) -> dict[int, Any]: ...
    def states_of(self, questions: Iterable[int]) -> Mapping[int, tuple[str | None, int]]: ...


class Unregistered(Exception):
    """The app of the reviews is not installed."""


_registered: list[type[Any]] = []


def register(viewer: type[Any]) -> None:
    """Of the app of the reviews, once: what makes a Viewer of a membership."""
    _registered[:] = [viewer]


def viewer_of(membership: Membership) -> Viewer:
    if not _registered:
        raise Unregistered("curation.reviews registers who may see what: it is not installed.")
    return _registered[0](membership)


def sees_all(project: Project) -> Viewer:
    """Whoever acts for an admin of the project, such as a job that one ordered."""
    return viewer_of(Membership(project=project, role=Role.ADMIN))
