from django.urls import path

from curation.rationales import views

P = "projects/<slug:slug>"
urlpatterns = [
    path(f"{P}/rationales/", views.rationales, name="rationales"),
    path(f"{P}/rationales/scoring", views.scoring_state, name="scoring_state"),
    path(f"{P}/rationales/score-again", views.score_again, name="score_again"),
    path(f"{P}/runs/", views.runs, name="runs"),
    path(f"{P}/runs/new/", views.run_new, name="run_new"),
    path(f"{P}/runs/estimate", views.run_estimate, name="run_estimate"),
    path(f"{P}/runs/<int:pk>/", views.run_detail, name="run_detail"),
    path(f"{P}/runs/<int:pk>/pause", views.run_pause, name="run_pause"),
    path(f"{P}/runs/<int:pk>/resume", views.run_resume, name="run_resume"),
    path(f"{P}/runs/<int:pk>/cancel", views.run_cancel, name="run_cancel"),
    path(f"{P}/runs/<int:pk>/retry", views.run_retry, name="run_retry"),
    path(f"{P}/teachers/", views.teachers, name="teachers"),
    path(f"{P}/teachers/new/", views.teacher_new, name="teacher_new"),
    path(f"{P}/teachers/<int:pk>/", views.teacher_edit, name="teacher_edit"),
]
