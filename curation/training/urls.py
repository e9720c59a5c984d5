from django.urls import path

from curation.training import views

_PROJECT = "projects/<slug:slug>"
_JOB = f"{_PROJECT}/training/<int:pk>"

urlpatterns = [
    path(f"{_PROJECT}/export-and-train", views.export_and_train, name="export_and_train"),
    path(f"{_PROJECT}/training/", views.trainings, name="trainings"),
    path(f"{_PROJECT}/training/new", views.training_new, name="training_new"),
    path(f"{_JOB}/", views.training_detail, name="training_detail"),
    path(f"{_JOB}/log", views.training_log, name="training_log"),
    path(f"{_JOB}/adapter", views.training_adapter, name="training_adapter"),
    path(f"{_JOB}/cancel", views.training_cancel, name="training_cancel"),
    path(f"{_JOB}/resume", views.training_resume, name="training_resume"),
]
