"""Signing in, new projects, and a project's settings."""

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from curation.errors import Conflict, Invalid, ServiceError
from curation.projects import services
from curation.projects.access import may_create_projects, project_view
from curation.projects.forms import GeneralForm, MemberForm, ProjectForm, RubricForm, SignInForm
from curation.projects.models import Rubric
from curation.projects.selectors import members_of, rubric_history
from curation.projects.sign_in import remember_browser

form_page = require_http_methods(["GET", "HEAD", "POST"])


class SignIn(LoginView):
    template_name = "projects/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: SignInForm) -> HttpResponse:
        response = super().form_valid(form)
        remember_browser(self.request, response, form.get_user())
        return response


sign_in = SignIn.as_view()


def _refused(form: Form, error: ServiceError) -> None:
    """Show a service's refusal in the form it came from."""
    form.add_error(None, ValidationError(str(error)))


@form_page
def project_new(request: HttpRequest) -> HttpResponse:
    if not may_create_projects(request.user):
        raise PermissionDenied(services.ASK)
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            project = services.create_own_project(request.user, **form.cleaned_data)
        except (Invalid, Conflict) as error:
            _refused(form, error)
        else:
            return redirect("dashboard", project.slug)
    return render(request, "projects/new.html", {"form": form}, status=_status(form))


@form_page
@project_view(admin=True)
def settings(request: HttpRequest) -> HttpResponse:
    form = GeneralForm(request.POST or None, instance=request.project)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_settings(request.project, **form.cleaned_data)
        except ServiceError as error:
            _refused(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("settings", request.project.slug)
    if (
        form.errors
    ):  # the form wrote its values to the instance; the page's frame shows what is stored
        request.project.refresh_from_db()
    context = {"form": form, "tab": "general"}
    return render(request, "projects/settings_general.html", context, status=_status(form))


@form_page
@project_view(admin=True)
def settings_members(request: HttpRequest) -> HttpResponse:
    """The members; posting adds one, or changes the role of one."""
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            member = services.add_member(request.project, **form.cleaned_data)
        except ServiceError as error:
            _refused(form, error)
        else:
            messages.success(request, f"{member.user} is {member.get_role_display()} now.")
            return redirect("settings_members", request.project.slug)
    context = {"form": form, "tab": "members", "members": members_of(request.project)}
    return render(request, "projects/settings_members.html", context, status=_status(form))


@require_POST
@project_view(admin=True)
def member_remove(request: HttpRequest, user_id: int) -> HttpResponse:
    services.remove_member(request.project, user_id)
    if user_id == request.user.pk:
        messages.success(request, f"You have left {request.project}.")
        return redirect("home")
    messages.success(request, "This person is no longer a member.")
    return redirect("settings_members", request.project.slug)


@form_page
@project_view(admin=True)
def settings_rubric(request: HttpRequest) -> HttpResponse:
    current = request.project.rubric
    form = RubricForm(request.POST or None, initial=current.thresholds())
    if request.method == "POST" and form.is_valid():
        try:
            rubric = services.change_rubric(
                request.project,
                request.user,
                **{name: form.cleaned_data[name] for name in Rubric.THRESHOLDS},
            )
        except ServiceError as error:
            _refused(form, error)
        else:
            same = rubric.version == current.version
            messages.success(
                request,
                "Nothing was changed." if same else f"Rubric {rubric.version} is in force now.",
            )
            return redirect("settings_rubric", request.project.slug)
    context = {
        "form": form,
        "tab": "rubric",
        "rubric": current,
        "history": rubric_history(request.project),
    }
    return render(request, "projects/settings_rubric.html", context, status=_status(form))


def _status(form: Form) -> int:
    return 400 if form.is_bound and form.errors else 200
