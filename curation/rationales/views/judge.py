"""The judge of a project: one server whose own score is shown beside the scorers'."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from curation import key_names
from curation.projects.access import project_view
from curation.rationales.models import Judge


class JudgeForm(key_names.ForgetsAPastedKey, forms.ModelForm):
    base_url = forms.URLField(
        label="Address",
        max_length=300,
        validators=[key_names.holds_no_key],
        assume_scheme="http",
        help_text="Of a language model with its /v1; of vLLM with a reward model without it.",
    )

    class Meta:
        model = Judge
        fields = ("name", "kind", "base_url", "model", "api_key_env")
        labels = {
            "name": "Name",
            "kind": "Kind",
            "model": "Model",
            "api_key_env": "Key: name of an environment variable",
        }
        help_texts = {
            "name": "Under which its score is shown.",
            "model": "The name that the server has for it.",
            "api_key_env": key_names.HELP,
        }


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def judge(request: HttpRequest) -> HttpResponse:
    one = Judge.objects.filter(project=request.project).first()
    form = JudgeForm(request.POST or None, instance=one or Judge(project=request.project))
    if request.method == "POST" and form.is_valid():
        # Twice at once (a double click) is one judge: the second finds the first's row.
        Judge.objects.update_or_create(project=request.project, defaults=form.cleaned_data)
        messages.success(
            request, "The judge is asked from the next scoring on; “Score again” asks at once."
        )
        return redirect("judge", request.project.slug)
    status = 400 if form.errors else 200
    return render(request, "rationales/judge.html", {"form": form, "judge": one}, status=status)


@require_POST
@project_view(admin=True)
def judge_remove(request: HttpRequest) -> HttpResponse:
    Judge.objects.filter(project=request.project).delete()
    messages.success(request, "No judge is asked any more. Scores that it gave stay readable.")
    return redirect("judge", request.project.slug)
