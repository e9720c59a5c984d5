from django.urls import path

from curation.dashboard import views

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/<slug:slug>/", views.dashboard, name="dashboard"),
    path("projects/<slug:slug>/live", views.dashboard_live, name="dashboard_live"),
    path("projects/<slug:slug>/waiting/<slug:kind>/<int:pk>", views.waiting, name="waiting"),
    path("projects/<slug:slug>/score", views.score_now, name="score_now"),
    path("projects/<slug:slug>/approve-by-rule", views.approve_by_rule, name="approve_by_rule"),
    path("projects/<slug:slug>/rubric-preview", views.rubric_preview, name="rubric_preview"),
]
