from django.apps import AppConfig

from curation.db import managed_sql
from curation.db.search import keep_index


class RationalesConfig(AppConfig):
    name = "curation.rationales"
    label = "rationales"

    def ready(self) -> None:
        managed_sql.keep(self, lambda connection: keep_index(connection, "rationales_rationale"))
