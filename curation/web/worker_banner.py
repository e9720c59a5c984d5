"""The banner shown when no worker listens on a queue."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from curation import celery_app


def no_worker(request: HttpRequest, queue_name: str) -> HttpResponse:
    """A banner when nobody listens on the queue, or on one of `all`; empty when somebody does."""
    names = celery_app.QUEUES if queue_name == "all" else (queue_name,)
    if not {*names} <= {*celery_app.QUEUES}:
        raise Http404
    known = celery_app.listeners()
    missing = ["broker"] if known is None else [name for name in names if not known[name]]
    command = celery_app.start_command(missing[0]) if missing and known is not None else ""
    context = {"missing": missing, "command": command}
    return render(request, "includes/no_worker_text.html", context)
