from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "curation.evaluations"
    label = "evaluations"
