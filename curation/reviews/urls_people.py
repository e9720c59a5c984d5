"""Addresses around the bench: what is for the people who review, and for those who lead them."""

from django.urls import path

from curation.reviews import (
    views_adjudication,
    views_agreement,
    views_bulk,
    views_deleting,
    views_progress,
    views_settings,
)

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
    path(BELOW + "settings/review/", views_settings.settings_review, name="settings_review"),
    path(BELOW + "settings/review/preview", views_settings.assign_preview, name="assign_preview"),
    path(BELOW + "settings/review/assign", views_settings.assign, name="assign"),
    path(BELOW + "settings/review/unassign", views_settings.unassign, name="unassign"),
    path(BELOW + "settings/review/controls", views_settings.control_add, name="control_add"),
    path(
        BELOW + "questions/<int:pk>/control",
        views_settings.question_control,
        name="question_control",
    ),
    path(
        BELOW + "questions/<int:pk>/control/drop",
        views_settings.question_control_drop,
        name="question_control_drop",
    ),
    path(BELOW + "progress/", views_progress.progress, name="progress"),
    path(BELOW + "progress/seats/<int:pk>/free", views_progress.seat_free, name="seat_free"),
    path(BELOW + "flags/", views_adjudication.flags, name="flags"),
    path(BELOW + "flags/<int:pk>/settle", views_adjudication.flag_settle, name="flag_settle"),
    path(BELOW + "bulk/", views_bulk.bulk_list, name="bulk_list"),
    path(BELOW + "bulk/new/", views_bulk.bulk_new, name="bulk_new"),
    path(BELOW + "bulk/<int:pk>/", views_bulk.bulk_detail, name="bulk_detail"),
    path(BELOW + "bulk/<int:pk>/undo", views_bulk.bulk_undo, name="bulk_undo"),
    path(BELOW + "bulk/<int:pk>/cancel", views_bulk.bulk_cancel, name="bulk_cancel"),
    path(BELOW + "bulk/<int:pk>/resume", views_bulk.bulk_resume, name="bulk_resume"),
    path(
        BELOW + "questions/<int:pk>/delete", views_deleting.question_delete, name="question_delete"
    ),
    path(
        BELOW + "rationales/<int:pk>/delete",
        views_deleting.rationale_delete,
        name="rationale_delete",
    ),
    path(BELOW + "deleted/", views_deleting.deletion_list, name="deletion_list"),
    path(BELOW + "deleted/new/", views_deleting.deletion_new, name="deletion_new"),
    path(BELOW + "deleted/<int:pk>/", views_deleting.deletion_detail, name="deletion_detail"),
    path(
        BELOW + "deleted/<int:pk>/restore", views_deleting.deletion_restore, name="deletion_restore"
    ),
    path(BELOW + "deleted/<int:pk>/cancel", views_deleting.deletion_cancel, name="deletion_cancel"),
    path(BELOW + "deleted/<int:pk>/resume", views_deleting.deletion_resume, name="deletion_resume"),
]
