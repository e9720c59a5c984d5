from django.urls import path

from curation.reviews import views, views_check

urlpatterns = [
    path("keys", views.bench_keys, name="bench_keys"),
    path("projects/<slug:slug>/questions/<int:pk>/", views.question, name="question"),
    path("projects/<slug:slug>/review/", views.review, name="review"),
    path("projects/<slug:slug>/review/next", views.review_next, name="review_next"),
    path("projects/<slug:slug>/review/ahead", views.review_ahead, name="review_ahead"),
    path("projects/<slug:slug>/review/flag", views.review_flag, name="review_flag"),
    path("projects/<slug:slug>/review/check", views_check.review_check, name="review_check"),
    path("projects/<slug:slug>/review/submit", views.review_submit, name="review_submit"),
    path("projects/<slug:slug>/review/renew", views.review_renew, name="review_renew"),
    path("projects/<slug:slug>/review/skip", views.review_skip, name="review_skip"),
    path("projects/<slug:slug>/review/undo", views.review_undo, name="review_undo"),
    path("projects/<slug:slug>/review/release", views.review_release, name="review_release"),
    path("projects/<slug:slug>/review/mine", views.my_reviews, name="my_reviews"),
    path("projects/<slug:slug>/review/<int:pk>/", views.review_question, name="review_question"),
]
