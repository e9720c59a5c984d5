"""Teachers: the list, the leaderboard, the form, and trying one before it is saved."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.errors import Invalid
from curation.projects.access import project_view, refuse_blind
from curation.rationales.forms import TeacherForm, TryForm
from curation.rationales.generation.prompt_styles import styles
from curation.rationales.listing.leaderboard import leaderboard, teacher_lines
from curation.rationales.models import Teacher, TeacherTry
from curation.rationales.teachers import services, trial


@require_GET
@project_view
def teachers(request: HttpRequest) -> HttpResponse:
    refuse_blind(request.membership)
    context = {"teachers": teacher_lines(request.project)}
    return render(request, "rationales/teachers.html", context)


@require_GET
@project_view
def compared(request: HttpRequest) -> HttpResponse:
    refuse_blind(request.membership)
    context = {"rows": leaderboard(request.project)}
    return render(request, "rationales/leaderboard.html", context)


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def teacher_new(request: HttpRequest) -> HttpResponse:
    return _teacher(request, Teacher(project=request.project))


@require_http_methods(["GET", "POST"])
@project_view(admin=True)
def teacher_edit(request: HttpRequest, pk: int) -> HttpResponse:
    teacher = get_object_or_404(Teacher, project=request.project, pk=pk, writes=True)
    return _teacher(request, teacher)


def _teacher(request: HttpRequest, teacher: Teacher) -> HttpResponse:
    form = TeacherForm(request.POST or None, instance=teacher)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_teacher(request.project, form.save(commit=False))
            messages.success(request, f"{form.instance.name} is ready to write.")
            return redirect("teachers", request.project.slug)
        except Invalid as error:
            form.add_error(None, str(error))
    context = {
        "form": form,
        "teacher": teacher,
        "try_form": TryForm(),
        "styles": styles().values(),
    }
    status = 400 if form.errors else 200
    return render(request, "rationales/teacher.html", context, status=status)


@require_POST
@project_view(admin=True)
def teacher_try(request: HttpRequest) -> HttpResponse:
    """One answer of the teacher that stands in the form. Nothing of it is saved as a teacher."""
    # The one that is tried may be a saved one that is being changed; it is not saved by this.
    mine = Teacher.objects.for_project(request.project).filter(writes=True)
    known = mine.filter(name=request.POST.get("name", "")).first()
    form = TeacherForm(request.POST, instance=known or Teacher(project=request.project))
    asked = TryForm(request.POST)
    context: dict[str, object] = {}
    if not (form.is_valid() and asked.is_valid()):
        wrong = [(f, e) for one in (form, asked) for f, e in one.errors.items()]
        fields = form.fields | asked.fields
        context["problem"] = " ".join(f"{fields[f].label}: {' '.join(e)}" for f, e in wrong)
    else:
        try:
            teacher = form.save(commit=False)
            question = asked.cleaned_data["question"]
            context["row"] = trial.order_try(request.project, request.user, teacher, question)
            context["waited_for"] = True
        except Invalid as error:
            context["problem"] = str(error)
    return render(request, "rationales/_try.html", context)


@require_GET
@project_view(admin=True)
def teacher_tried(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(TeacherTry, project=request.project, pk=pk, created_by=request.user)
    context = {
        "row": row,
        "waited_for": trial.still_waited_for(row),
    }
    return render(request, "rationales/_try.html", context)
