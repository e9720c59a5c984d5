from django.apps import AppConfig

from curation import standing


class ReviewsConfig(AppConfig):
    name = "curation.reviews"
    label = "reviews"

    def ready(self) -> None:
        from curation.reviews import history  # it reads the models, which are loaded by now

        standing.keep(self, history.create, history.drop)
