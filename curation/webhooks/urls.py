from django.urls import path

from curation.webhooks import views

P = "projects/<slug:slug>/settings/webhooks"
ONE = f"{P}/<int:pk>"
urlpatterns = [
    path(f"{P}/", views.settings_webhooks, name="settings_webhooks"),
    path(f"{ONE}/", views.webhook_detail, name="webhook_detail"),
    path(f"{ONE}/test", views.webhook_test, name="webhook_test"),
    path(f"{ONE}/secret", views.webhook_secret, name="webhook_secret"),
    path(f"{ONE}/switch", views.webhook_switch, name="webhook_switch"),
    path(f"{ONE}/remove", views.webhook_remove, name="webhook_remove"),
    path(f"{ONE}/deliveries/<int:delivery_id>/again", views.webhook_again, name="webhook_again"),
]
