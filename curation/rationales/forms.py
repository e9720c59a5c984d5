"""Forms of orders and teachers."""

from typing import Any

from django import forms

from curation.projects.models import Project
from curation.rationales.models import Teacher

# The styles that a teacher can be asked in, by the names that the generator's templates have.
PROMPT_STYLES = (
    ("plain", "Question only: the model reasons by itself"),
    ("step-by-step", "Step by step"),
    ("plan-first", "Plan first"),
    ("answer-first", "Answer first, then the reasons"),
)
WHICH = (
    ("train", "all training questions"),
    ("missing", "training questions without rationales"),
    ("first", "the first …"),
)


class TeacherForm(forms.ModelForm):
    prompt_style = forms.ChoiceField(label="How it is asked", choices=PROMPT_STYLES)
    base_url = forms.URLField(
        label="Address",
        required=False,
        max_length=300,
        assume_scheme="http",
        help_text="Only for an address, such as http://127.0.0.1:8000/v1.",
    )

    class Meta:
        model = Teacher
        fields = (
            "name",
            "backend",
            "model",
            "base_url",
            "api_key_env",
            "prompt_style",
            "max_tokens",
            "top_p",
            "price_in",
            "price_out",
        )
        labels = {
            "api_key_env": "Key: name of an environment variable",
            "max_tokens": "At most so many tokens",
            "top_p": "Top-p",
            "price_in": "Price of a million tokens read",
            "price_out": "Price of a million tokens written",
        }
        help_texts = {
            "name": "How this teacher is called here.",
            "model": "A model folder on the worker, or the name that the server has for it.",
            "api_key_env": "The key itself is never stored: the worker reads it from this variable.",
        }

    def _get_validation_exclusions(self) -> set[str]:
        # Checked by the service, which knows the project; here it would be half checked.
        return {*super()._get_validation_exclusions(), "project"}


class RunForm(forms.Form):
    teachers = forms.ModelMultipleChoiceField(
        Teacher.objects.none(), label="Teachers", widget=forms.CheckboxSelectMultiple
    )
    temperatures = forms.CharField(
        label="Temperatures",
        initial="0.3, 0.5, 0.7",
        max_length=200,
        help_text="With commas. Low ones give safe chains, high ones different chains.",
    )
    samples = forms.IntegerField(
        label="Samples at each temperature", initial=1, min_value=1, max_value=1000
    )
    which = forms.ChoiceField(label="Questions", choices=WHICH, initial="train")
    limit = forms.IntegerField(label="So many questions", required=False, min_value=1)
    max_tokens = forms.IntegerField(
        label="At most so many tokens",
        required=False,
        min_value=1,
        max_value=100_000,
        help_text="Empty: as each teacher is set.",
    )
    seed = forms.IntegerField(
        label="Seed",
        initial=0,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The same order with the same seed gives the same texts, where the model allows.",
    )
    only_missing = forms.BooleanField(
        label="Leave out what an earlier run has written or is writing", required=False
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Teacher.objects.for_project(project).filter(writes=True)
        self.fields["teachers"].queryset = mine
        if not self.is_bound:
            self.initial.setdefault("teachers", list(mine.values_list("pk", flat=True)))

    def clean_temperatures(self) -> list[float]:
        try:
            parts = self.cleaned_data["temperatures"].replace(";", ",").split(",")
            return sorted({float(part) for part in parts if part.strip()})
        except ValueError:
            raise forms.ValidationError(
                "Numbers with commas between them, such as 0.3, 0.5, 0.7."
            ) from None

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("which") == "first" and not given.get("limit"):
            self.add_error("limit", "Say how many questions.")
        return given
