"""Who is signed in: Django's own backend, the person read by a statement that is built once."""

from django.contrib.auth.backends import ModelBackend

from curation.db.prepared_queries import Param, Prepared
from curation.projects.models import User

PERSON = Prepared(lambda: User.objects.filter(pk=Param("pk")))


class Backend(ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        user = PERSON.first(pk=int(user_id))
        return user if user is not None and self.user_can_authenticate(user) else None
