"""A person's tokens."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from curation.api.core import tokens as services
from curation.api.forms import TokenForm
from curation.errors import ServiceError


@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The person's tokens; posting makes one, whose secret this one answer shows and none after it."""
    form = TokenForm(request.POST or None, user=request.user)
    made, secret = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = services.make_token(request.user, **form.cleaned_data)
            form = TokenForm(user=request.user)
        except ServiceError as error:
            form.add_error(None, ValidationError(str(error)))
    context = {
        "form": form,
        "made": made,
        "secret": secret,
        "tokens": services.tokens_of(request.user)[:100],
    }
    status = 400 if form.errors else 201 if made else 200
    return render(request, "api/tokens.html", context, status=status)


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    services.revoke(request.user, pk)
    messages.success(request, "The token is revoked: nobody comes in with it any more.")
    return redirect("tokens")
