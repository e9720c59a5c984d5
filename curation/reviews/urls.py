from django.urls import path

from curation.reviews.views import bench, check, long_text, readings

urlpatterns = [
    path("keys", bench.bench_keys, name="bench_keys"),
    path("projects/<slug:slug>/questions/<int:pk>/", bench.question, name="question"),
    path("projects/<slug:slug>/review/", bench.review, name="review"),
    path("projects/<slug:slug>/review/next", bench.review_next, name="review_next"),
    path("projects/<slug:slug>/review/ahead", bench.review_ahead, name="review_ahead"),
    path("projects/<slug:slug>/review/flag", bench.review_flag, name="review_flag"),
    path("projects/<slug:slug>/review/steps", long_text.review_steps, name="review_steps"),
    path("projects/<slug:slug>/review/check", check.review_check, name="review_check"),
    path("projects/<slug:slug>/review/read", readings.review_read, name="review_read"),
    path("projects/<slug:slug>/review/submit", bench.review_submit, name="review_submit"),
    path("projects/<slug:slug>/review/renew", bench.review_renew, name="review_renew"),
    path("projects/<slug:slug>/review/skip", bench.review_skip, name="review_skip"),
    path("projects/<slug:slug>/review/undo", bench.review_undo, name="review_undo"),
    path("projects/<slug:slug>/review/release", bench.review_release, name="review_release"),
    path("projects/<slug:slug>/review/mine", bench.my_reviews, name="my_reviews"),
    path("projects/<slug:slug>/rationales/<int:pk>/answer/", readings.answer, name="answer"),
    path(
        "projects/<slug:slug>/rationales/<int:pk>/answer/read",
        readings.answer_read,
        name="answer_read",
    ),
    path(
        "projects/<slug:slug>/rationales/<int:pk>/answer/drop",
        readings.answer_drop,
        name="answer_drop",
    ),
    path("projects/<slug:slug>/reading-cases/", readings.reading_cases, name="reading_cases"),
    path(
        "projects/<slug:slug>/reading-cases.jsonl",
        readings.reading_cases_file,
        name="reading_cases_file",
    ),
    path("projects/<slug:slug>/review/<int:pk>/", bench.review_question, name="review_question"),
]
