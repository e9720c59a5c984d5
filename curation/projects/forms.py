"""What people may fill in about themselves and their projects; other fields have no effect."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from curation.errors import TooMany
from curation.projects.models import Project, Role, Rubric, Unread
from curation.projects.sign_in import Attempt

STUDENT_HELP = (
    "The model to train: a folder below the worker’s models folder (MODEL_ROOTS), by its name there, or a "
    "name on the Hugging Face hub, such as Qwen/Qwen2.5-0.5B."
)
SLUG = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use a–z, 0–9 and single hyphens.")


class SignInForm(AuthenticationForm):
    """Name and password; after many failures it stops looking at passwords for a while."""

    error_messages = {
        "invalid_login": "This name and password do not belong together.",
        "inactive": "This account is switched off.",
    }

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return super().clean()
        attempt = Attempt(self.request, name)
        try:
            attempt.begin()
        except TooMany as error:
            raise ValidationError(str(error), code="wait") from None
        cleaned = super().clean()
        attempt.succeeded()
        return cleaned


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    slug = forms.CharField(
        max_length=60,
        required=False,
        label="Address",
        validators=[SLUG],
        help_text="The part after /projects/. Made from the name when it is left empty.",
    )
    description = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    student = forms.CharField(
        required=False,
        max_length=300,
        label="Student",
        help_text=f"{STUDENT_HELP} It can be set later.",
    )


class GeneralForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = (
            "name",
            "description",
            "guidelines",
            "student",
            "max_rationale_tokens",
            "rule_approves",
            "use_embeddings",
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "guidelines": forms.Textarea(attrs={"rows": 10}),
        }
        labels = {
            "rule_approves": "Approve by rule what passes the rubric, as soon as it is scored",
            "max_rationale_tokens": "Longest rationale for the student, in its own tokens",
            "use_embeddings": "Score similarity with sentence embeddings",
        }
        help_texts = {
            "guidelines": "What reviewers read on the bench, one key away.",
            "student": STUDENT_HELP,
            "max_rationale_tokens": "Longer rationales get a flag and less conciseness. Empty: the student’s "
            "context length.",
            "rule_approves": "Such decisions are marked as the rule’s. People’s decisions are never "
            "changed by it.",
            "use_embeddings": "Slower, needs no network. Without it the similarity stays unknown.",
        }


class MemberForm(forms.Form):
    username = forms.CharField(
        max_length=150, label="Name", help_text="The name the person signs in with."
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.REVIEWER)


class RubricForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unread"].required = False  # what says nothing of it leaves it to people

    def clean_unread(self) -> str:
        return self.cleaned_data["unread"] or Unread.PEOPLE

    class Meta:
        model = Rubric
        fields = Rubric.THRESHOLDS
        labels = {
            "right_answer": "The answer must be right",
            "min_validity": "Valid steps, at least",
            "min_conciseness": "Conciseness, at least",
            "min_structure": "Structure, at least",
            "max_redundancy": "Idle steps, at most",
            "unread": "Where the answer could not be read",
        }
        help_texts = {
            "right_answer": "Compared with the reference answer. Rationales of questions without one "
            "do not pass while this is on.",
            "min_validity": "How likely it is that no step is wrong.",
            "min_conciseness": "Length against the shortest right rationale of the question.",
            "min_structure": "How well the rationale is built: steps, order, a conclusion.",
            "max_redundancy": "How likely it is that some step brings nothing new.",
            "unread": "It is neither right nor wrong. The rule decides only where the project approves by "
            "rule; people can change what it said.",
        }
        widgets = {
            name: forms.NumberInput(attrs={"step": "0.01", "min": "0", "max": "1"})
            for name in Rubric.THRESHOLDS
            if name not in ("right_answer", "unread")
        }
