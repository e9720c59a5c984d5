from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "curation.reviews"
    label = "reviews"
