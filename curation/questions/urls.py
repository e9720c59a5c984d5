from django.urls import path

from curation.questions import views
from curation.questions.wizard import views as wizard

urlpatterns = [
    path("projects/<slug:slug>/questions/", views.questions, name="questions"),
    path("projects/<slug:slug>/questions/views", views.questions_save, name="questions_save"),
    path("projects/<slug:slug>/questions/<int:pk>/edit", views.question_edit, name="question_edit"),
    path(
        "projects/<slug:slug>/question-changes/<int:pk>/undo",
        views.question_change_undo,
        name="question_change_undo",
    ),
    path("projects/<slug:slug>/questions/import/", views.import_new, name="import_new"),
    path(
        "projects/<slug:slug>/questions/imports/<int:pk>/",
        views.import_detail,
        name="import_detail",
    ),
    path(
        "projects/<slug:slug>/questions/imports/<int:pk>/columns",
        wizard.columns,
        name="import_columns",
    ),
    path(
        "projects/<slug:slug>/questions/imports/<int:pk>/bad-rows",
        wizard.bad_rows,
        name="import_bad_rows",
    ),
    path(
        "projects/<slug:slug>/questions/imports/<int:pk>/again",
        views.import_again,
        name="import_again",
    ),
    path(
        "projects/<slug:slug>/questions/imports/<int:pk>/cancel",
        views.import_cancel,
        name="import_cancel",
    ),
]
