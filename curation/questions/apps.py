from django.apps import AppConfig

from curation.db import managed_sql
from curation.db.search import keep_index


class QuestionsConfig(AppConfig):
    name = "curation.questions"
    label = "questions"

    def ready(self) -> None:
        managed_sql.keep(self, lambda connection: keep_index(connection, "questions_question"))
