from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    name = "curation.datasets"
    label = "datasets"
