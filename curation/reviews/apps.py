from django.apps import AppConfig

from curation.db import managed_sql


class ReviewsConfig(AppConfig):
    name = "curation.reviews"
    label = "reviews"

    def ready(self) -> None:
        from curation.projects import viewers
        from curation.reviews.decisions import (
            audit_triggers,  # it reads the models, which are loaded by now
        )
        from curation.reviews.visibility import Viewer

        viewers.register(Viewer)
        managed_sql.keep(self, audit_triggers.create, audit_triggers.drop)
        from curation.questions.correcting.changing import FOLLOWS, Follows
        from curation.reviews.queue import changed

        FOLLOWS.append(Follows(changed.lock, changed.follow))
