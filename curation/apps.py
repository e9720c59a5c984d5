from django.apps import AppConfig


class CurationConfig(AppConfig):
    """Holds the commands that run over all stages (`quickstart`, `pipeline`) and the template tags."""

    name = "curation"
    label = "curation"
