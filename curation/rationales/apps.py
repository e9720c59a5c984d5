from django.apps import AppConfig


class RationalesConfig(AppConfig):
    name = "curation.rationales"
    label = "rationales"
