from django.urls import path

from curation.rationales.views import judge, rationales, runs, semantic_search, teachers

P = "projects/<slug:slug>"
RUN = f"{P}/runs/<int:pk>"
urlpatterns = [
    path(f"{P}/rationales/", rationales.rationales, name="rationales"),
    path(f"{P}/rationales/views", rationales.rationales_save, name="rationales_save"),
    path(f"{P}/rationales/verdicts", rationales.rationales_verdicts, name="rationales_verdicts"),
    path(f"{P}/rationales/scoring", rationales.scoring_state, name="scoring_state"),
    path(f"{P}/rationales/score-again", rationales.score_again, name="score_again"),
    path(f"{P}/meaning/", semantic_search.meaning_new, name="meaning"),
    path(f"{P}/meaning/<int:pk>/", semantic_search.meaning_found, name="meaning_found"),
    path(f"{P}/meaning/like/<int:pk>", semantic_search.meaning_like, name="meaning_like"),
    path(f"{P}/runs/", runs.runs, name="runs"),
    path(f"{P}/runs/new/", runs.run_new, name="run_new"),
    path(f"{P}/runs/estimate", runs.run_estimate, name="run_estimate"),
    path(f"{RUN}/", runs.run_detail, name="run_detail"),
    path(f"{RUN}/log/", runs.run_log, name="run_log"),
    path(f"{RUN}/pause", runs.run_pause, name="run_pause"),
    path(f"{RUN}/resume", runs.run_resume, name="run_resume"),
    path(f"{RUN}/cancel", runs.run_cancel, name="run_cancel"),
    path(f"{RUN}/retry", runs.run_retry, name="run_retry"),
    path(f"{RUN}/budget", runs.run_budget, name="run_budget"),
    path(f"{RUN}/cut-off", runs.run_cut_off, name="run_cut_off"),
    path(f"{P}/teachers/", teachers.teachers, name="teachers"),
    path(f"{P}/teachers/compared/", teachers.compared, name="leaderboard"),
    path(f"{P}/teachers/judge/", judge.judge, name="judge"),
    path(f"{P}/teachers/judge/remove", judge.judge_remove, name="judge_remove"),
    path(f"{P}/teachers/new/", teachers.teacher_new, name="teacher_new"),
    path(f"{P}/teachers/try", teachers.teacher_try, name="teacher_try"),
    path(f"{P}/teachers/try/<int:pk>/", teachers.teacher_tried, name="teacher_tried"),
    path(f"{P}/teachers/<int:pk>/", teachers.teacher_edit, name="teacher_edit"),
]
