from django.apps import AppConfig

from curation import standing
from curation.search import keep_index


class RationalesConfig(AppConfig):
    name = "curation.rationales"
    label = "rationales"

    def ready(self) -> None:
        standing.keep(self, lambda connection: keep_index(connection, "rationales_rationale"))
