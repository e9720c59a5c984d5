"""Addresses around the bench: what is for the people who review, and for those who lead them."""

from django.urls import path

from curation.reviews import views_agreement

BELOW = "projects/<slug:slug>/"

urlpatterns = [
    path(BELOW + "agreement/", views_agreement.agreement, name="agreement"),
    path(BELOW + "agreement/count", views_agreement.agreement_count, name="agreement_count"),
]
