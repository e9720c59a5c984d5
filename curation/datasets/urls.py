from django.urls import path

from curation.datasets import views

urlpatterns = [
    path("projects/<slug:slug>/datasets/", views.datasets, name="datasets"),
    path("projects/<slug:slug>/datasets/freeze", views.dataset_freeze, name="dataset_freeze"),
    path("projects/<slug:slug>/datasets/preview", views.dataset_preview, name="dataset_preview"),
    path(
        "projects/<slug:slug>/datasets/<int:number>/", views.dataset_detail, name="dataset_detail"
    ),
    path(
        "projects/<slug:slug>/datasets/<int:number>/verify",
        views.dataset_verify,
        name="dataset_verify",
    ),
    path(
        "projects/<slug:slug>/datasets/<int:number>/verified",
        views.dataset_verified,
        name="dataset_verified",
    ),
    path(
        "projects/<slug:slug>/datasets/<int:number>/download/<slug:form>",
        views.dataset_download,
        name="dataset_download",
    ),
]
