from django.urls import path

from curation.rationales import views, views_judge, views_meaning, views_runs, views_teachers

P = "projects/<slug:slug>"
RUN = f"{P}/runs/<int:pk>"
urlpatterns = [
    path(f"{P}/rationales/", views.rationales, name="rationales"),
    path(f"{P}/rationales/views", views.rationales_save, name="rationales_save"),
    path(f"{P}/rationales/scoring", views.scoring_state, name="scoring_state"),
    path(f"{P}/rationales/score-again", views.score_again, name="score_again"),
    path(f"{P}/meaning/", views_meaning.meaning_new, name="meaning"),
    path(f"{P}/meaning/<int:pk>/", views_meaning.meaning_found, name="meaning_found"),
    path(f"{P}/meaning/like/<int:pk>", views_meaning.meaning_like, name="meaning_like"),
    path(f"{P}/runs/", views_runs.runs, name="runs"),
    path(f"{P}/runs/new/", views_runs.run_new, name="run_new"),
    path(f"{P}/runs/estimate", views_runs.run_estimate, name="run_estimate"),
    path(f"{RUN}/", views_runs.run_detail, name="run_detail"),
    path(f"{RUN}/log/", views_runs.run_log, name="run_log"),
    path(f"{RUN}/pause", views_runs.run_pause, name="run_pause"),
    path(f"{RUN}/resume", views_runs.run_resume, name="run_resume"),
    path(f"{RUN}/cancel", views_runs.run_cancel, name="run_cancel"),
    path(f"{RUN}/retry", views_runs.run_retry, name="run_retry"),
    path(f"{RUN}/budget", views_runs.run_budget, name="run_budget"),
    path(f"{RUN}/cut-off", views_runs.run_cut_off, name="run_cut_off"),
    path(f"{P}/teachers/", views_teachers.teachers, name="teachers"),
    path(f"{P}/teachers/compared/", views_teachers.compared, name="leaderboard"),
    path(f"{P}/teachers/judge/", views_judge.judge, name="judge"),
    path(f"{P}/teachers/judge/remove", views_judge.judge_remove, name="judge_remove"),
    path(f"{P}/teachers/new/", views_teachers.teacher_new, name="teacher_new"),
    path(f"{P}/teachers/try", views_teachers.teacher_try, name="teacher_try"),
    path(f"{P}/teachers/try/<int:pk>/", views_teachers.teacher_tried, name="teacher_tried"),
    path(f"{P}/teachers/<int:pk>/", views_teachers.teacher_edit, name="teacher_edit"),
]
