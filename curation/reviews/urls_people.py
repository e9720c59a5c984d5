"""Addresses around the bench: what is for the people who review, and for those who lead them."""

from django.urls import path

from curation.reviews import views_adjudication, views_agreement

BELOW = "projects/<slug:slug>/"

urlpatterns = [
    path(BELOW + "agreement/", views_agreement.agreement, name="agreement"),
    path(BELOW + "agreement/count", views_agreement.agreement_count, name="agreement_count"),
    path(BELOW + "adjudicate/", views_adjudication.adjudication_list, name="adjudication"),
    path(
        BELOW + "adjudicate/<int:pk>/",
        views_adjudication.adjudicate_question,
        name="adjudicate_question",
    ),
    path(
        BELOW + "adjudicate/<int:pk>/undo",
        views_adjudication.adjudicate_undo,
        name="adjudicate_undo",
    ),
    path(BELOW + "flags/", views_adjudication.flags, name="flags"),
    path(BELOW + "flags/<int:pk>/settle", views_adjudication.flag_settle, name="flag_settle"),
]
