from django.apps import AppConfig

from curation import standing
from curation.search import keep_index


class QuestionsConfig(AppConfig):
    name = "curation.questions"
    label = "questions"

    def ready(self) -> None:
        standing.keep(self, lambda connection: keep_index(connection, "questions_question"))
