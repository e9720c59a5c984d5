from django.urls import path

from curation.datasets import views
from curation.datasets.gates import views as gates

urlpatterns = [
    path("projects/<slug:slug>/datasets/look", views.dataset_look, name="dataset_look"),
    path("projects/<slug:slug>/datasets/look/<int:pk>/", gates.gates_detail, name="look"),
    path("projects/<slug:slug>/datasets/look/<int:pk>/act", gates.gates_act, name="look_act"),
    path("projects/<slug:slug>/datasets/lists", gates.list_add, name="list_add"),
    path(
        "projects/<slug:slug>/datasets/lists/<int:pk>/remove",
        gates.list_remove,
        name="list_remove",
    ),
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
