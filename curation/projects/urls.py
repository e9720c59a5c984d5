from django.contrib.auth.views import LogoutView
from django.urls import path

from curation.projects import saved_views, views, views_deletion

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("projects/new/", views.project_new, name="project_new"),
    path("projects/<slug:slug>/settings/", views.settings, name="settings"),
    path("projects/<slug:slug>/settings/members/", views.settings_members, name="settings_members"),
    path(
        "projects/<slug:slug>/settings/members/<int:user_id>/remove",
        views.member_remove,
        name="member_remove",
    ),
    path("projects/<slug:slug>/settings/rubric/", views.settings_rubric, name="settings_rubric"),
    path(
        "projects/<slug:slug>/settings/delete/",
        views_deletion.project_delete,
        name="project_delete",
    ),
    path("deleted/", views_deletion.deleted_projects, name="deleted_projects"),
    path("deleted/<slug:slug>/restore", views_deletion.project_restore, name="project_restore"),
    path("projects/<slug:slug>/views/<int:pk>/drop", saved_views.view_drop, name="view_drop"),
]
