from django.apps import AppConfig


class QuestionsConfig(AppConfig):
    name = "curation.questions"
    label = "questions"
