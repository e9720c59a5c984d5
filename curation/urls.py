"""All addresses. Each app brings its own; below a project they share `projects/<slug>/`."""

from django.urls import include, path

from curation.web import worker_banner

urlpatterns = [
    path("listening/<slug:queue_name>", worker_banner.no_worker, name="no_worker"),
    # First what is asked for at every question: each pattern before it would be tried in vain.
    path("", include("curation.reviews.urls")),
    # `projects/new/` is looked up before the dashboard's `projects/<slug>/`.
    path("", include("curation.projects.urls")),
    path("", include("curation.dashboard.urls")),
    path("", include("curation.questions.urls")),
    path("", include("curation.rationales.urls")),
    path("", include("curation.reviews.urls_people")),
    path("", include("curation.datasets.urls")),
    path("", include("curation.training.urls")),
    path("", include("curation.evaluations.urls")),
    path("", include("curation.webhooks.urls")),
    path("", include("curation.api.urls")),
]

handler400 = "curation.web.error_views.bad_request"
handler403 = "curation.web.error_views.forbidden"
handler404 = "curation.web.error_views.not_found"
handler500 = "curation.web.error_views.server_error"
