"""The settings tab of webhooks: the addresses, and what was sent to each."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import ServiceError
from curation.projects.access import project_view
from curation.web.pagination import only, page_of
from curation.webhooks import selectors, services
from curation.webhooks.forms import WebhookForm
from curation.webhooks.models import Webhook

PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(admin=True)
def settings_webhooks(request: HttpRequest) -> HttpResponse:
    """The project's webhooks; posting adds one, whose secret this one answer shows."""
    form = WebhookForm(request.POST or None)
    made = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_hook(request.project, request.user, form.cleaned_data["url"])
            form = WebhookForm()
        except ServiceError as error:
            form.add_error("url", ValidationError(str(error)))
    context = {
        "tab": "webhooks",
        "form": form,
        "made": made,
        "hooks": selectors.hooks_with_counts(request.project),
    }
    status = 400 if form.errors else 201 if made else 200
    return render(request, "webhooks/webhooks.html", context, status=status)


def hook_or_404(request: HttpRequest, pk: int) -> Webhook:
    return get_object_or_404(services.standing_hooks(request.project), pk=pk)


@require_GET
@project_view(admin=True)
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return _detail(request, hook_or_404(request, pk))


def _detail(request: HttpRequest, hook: Webhook, made: Webhook | None = None) -> HttpResponse:
    filters = only(request.GET, ["after"])
    page = page_of(hook.deliveries.all(), filters, PAGE, newest_first=True)
    context = {
        "tab": "webhooks",
        "hook": hook,
        "made": made,
        "page": page,
        "moves": page.is_first and any(row.status == "waiting" for row in page.rows),
    }
    name = "webhooks/_deliveries.html" if request.htmx else "webhooks/webhook.html"
    return render(request, name, context)


@require_POST
@project_view(admin=True)
def webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret, which this one answer shows."""
    hook = services.new_secret(hook_or_404(request, pk))
    return _detail(request, hook, made=hook)


@require_POST
@project_view(admin=True)
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    services.send_test(hook_or_404(request, pk))
    messages.success(request, "A test is on its way: see below what comes of it.")
    return redirect("webhook_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def webhook_switch(request: HttpRequest, pk: int) -> HttpResponse:
    hook = hook_or_404(request, pk)
    services.switch(hook, not hook.is_active)
    return redirect("webhook_detail", request.project.slug, pk)


@require_POST
@project_view(admin=True)
def webhook_remove(request: HttpRequest, pk: int) -> HttpResponse:
    services.remove_hook(hook_or_404(request, pk))
    messages.success(request, "The webhook is removed: nothing more is sent there.")
    return redirect("settings_webhooks", request.project.slug)


@require_POST
@project_view(admin=True)
def webhook_again(request: HttpRequest, pk: int, delivery_id: int) -> HttpResponse:
    hook = hook_or_404(request, pk)
    delivery = get_object_or_404(hook.deliveries, pk=delivery_id)
    services.send_again(hook, delivery.pk)
    return redirect("webhook_detail", request.project.slug, pk)
