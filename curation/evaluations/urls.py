from django.urls import path

from curation.evaluations import views

_PROJECT = "projects/<slug:slug>"
_ONE = f"{_PROJECT}/evaluations/<int:pk>"

urlpatterns = [
    path(f"{_PROJECT}/evaluations/", views.evaluations, name="evaluations"),
    path(f"{_PROJECT}/evaluations/new", views.evaluation_new, name="evaluation_new"),
    path(f"{_ONE}/", views.evaluation_detail, name="evaluation_detail"),
    path(f"{_ONE}/answers", views.evaluation_answers, name="evaluation_answers"),
    path(f"{_ONE}/cancel", views.evaluation_cancel, name="evaluation_cancel"),
    path(f"{_ONE}/resume", views.evaluation_resume, name="evaluation_resume"),
    path(
        f"{_PROJECT}/training/<int:pk>/measured",
        views.evaluation_of_training,
        name="evaluation_of_training",
    ),
]
