"""Sessions in the database, as Django keeps them, but under a hash of their key: whoever reads the table,
or a copy of it, signs in with nothing. The cookie alone holds the key. Reads use a statement that is
built once."""

import hashlib
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from curation.db.prepared_queries import Param, Prepared

STANDING = Prepared(
    lambda: Session.objects.filter(session_key=Param("key"), expire_date__gt=Param("now"))
)


def hashed(key: str) -> str:
    """What the row is called: 160 bits of SHA-256, as much as the column holds. Keys are random and
    long (32 letters and digits), so no salt or slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        session = None
        if self.session_key is not None:
            session = STANDING.first(key=hashed(self.session_key), now=timezone.now())
        if session is None:
            self._session_key = None
        return session

    def exists(self, session_key: str) -> bool:
        return super().exists(hashed(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        made = super().create_model_instance(data)
        made.session_key = hashed(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        key = self.session_key if session_key is None else session_key
        if key is not None:
            super().delete(hashed(key))

    # Django has each of these a second time, which would pass by the hash.
    _aget_session_from_db = sync_to_async(_get_session_from_db)
    aexists = sync_to_async(exists)
    acreate_model_instance = sync_to_async(create_model_instance)
    adelete = sync_to_async(delete)
