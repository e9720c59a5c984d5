"""Sessions in the data base, as Django keeps them, read by a statement that is built once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from curation.prepared import Given, Prepared

STANDING = Prepared(
    lambda: Session.objects.filter(session_key=Given("key"), expire_date__gt=Given("now"))
)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        session = STANDING.first(key=self.session_key, now=timezone.now())
        if session is None:
            self._session_key = None
        return session
