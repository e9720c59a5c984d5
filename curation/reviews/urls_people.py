"""Addresses around the bench: what is for the people who review, and for those who lead them."""

from django.urls import path

from curation.reviews.views import adjudication, agreement, bulk, deletion, progress, settings

BELOW = "projects/<slug:slug>/"

urlpatterns = [
    path(BELOW + "agreement/", agreement.agreement, name="agreement"),
    path(BELOW + "agreement/count", agreement.agreement_count, name="agreement_count"),
    path(BELOW + "adjudicate/", adjudication.adjudication_list, name="adjudication"),
    path(
        BELOW + "adjudicate/<int:pk>/",
        adjudication.adjudicate_question,
        name="adjudicate_question",
    ),
    path(
        BELOW + "adjudicate/<int:pk>/undo",
        adjudication.adjudicate_undo,
        name="adjudicate_undo",
    ),
    path(BELOW + "settings/review/", settings.settings_review, name="settings_review"),
    path(BELOW + "settings/review/preview", settings.assign_preview, name="assign_preview"),
    path(BELOW + "settings/review/assign", settings.assign, name="assign"),
    path(BELOW + "settings/review/unassign", settings.unassign, name="unassign"),
    path(BELOW + "settings/review/controls", settings.control_add, name="control_add"),
    path(
        BELOW + "questions/<int:pk>/control",
        settings.question_control,
        name="question_control",
    ),
    path(
        BELOW + "questions/<int:pk>/control/drop",
        settings.question_control_drop,
        name="question_control_drop",
    ),
    path(BELOW + "progress/", progress.progress, name="progress"),
    path(BELOW + "progress/seats/<int:pk>/free", progress.seat_free, name="seat_free"),
    path(BELOW + "flags/", adjudication.flags, name="flags"),
    path(BELOW + "flags/<int:pk>/settle", adjudication.flag_settle, name="flag_settle"),
    path(BELOW + "bulk/", bulk.bulk_list, name="bulk_list"),
    path(BELOW + "bulk/new/", bulk.bulk_new, name="bulk_new"),
    path(BELOW + "bulk/<int:pk>/", bulk.bulk_detail, name="bulk_detail"),
    path(BELOW + "bulk/<int:pk>/undo", bulk.bulk_undo, name="bulk_undo"),
    path(BELOW + "bulk/<int:pk>/cancel", bulk.bulk_cancel, name="bulk_cancel"),
    path(BELOW + "bulk/<int:pk>/resume", bulk.bulk_resume, name="bulk_resume"),
    path(BELOW + "questions/<int:pk>/delete", deletion.question_delete, name="question_delete"),
    path(
        BELOW + "rationales/<int:pk>/delete",
        deletion.rationale_delete,
        name="rationale_delete",
    ),
    path(BELOW + "deleted/", deletion.deletion_list, name="deletion_list"),
    path(BELOW + "deleted/new/", deletion.deletion_new, name="deletion_new"),
    path(BELOW + "deleted/<int:pk>/", deletion.deletion_detail, name="deletion_detail"),
    path(BELOW + "deleted/<int:pk>/restore", deletion.deletion_restore, name="deletion_restore"),
    path(BELOW + "deleted/<int:pk>/cancel", deletion.deletion_cancel, name="deletion_cancel"),
    path(BELOW + "deleted/<int:pk>/resume", deletion.deletion_resume, name="deletion_resume"),
]
