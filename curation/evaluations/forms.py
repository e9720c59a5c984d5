"""What may be chosen when models are measured."""

from typing import Any

from django import forms

from curation.questions.models import Split
from curation.training.models import TrainingJob


class EvaluationForm(forms.Form):
    job = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="Trained student"
    )
    compared = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        label="Beside it",
        widget=forms.CheckboxSelectMultiple,
        help_text="Further trained students, measured on the same questions.",
    )
    splits = forms.MultipleChoiceField(
        choices=[(s.value, s.label) for s in (Split.EVAL, Split.OOD)],
        initial=[Split.EVAL, Split.OOD],
        widget=forms.CheckboxSelectMultiple,
        label="On which questions",
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        label="Questions of each part, at most",
        help_text="Empty: all. Fewer are faster, and their intervals wider.",
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, jobs: list[TrainingJob], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(job.pk, _label(job)) for job in jobs]
        self.fields["job"].choices = [*named, ("", "none: base and teachers only")]
        self.fields["compared"].choices = named


def _label(job: TrainingJob) -> str:
    recipe = job.dataset.recipe
    of = f" of {', '.join(recipe['teachers'])}" if recipe.get("teachers") else ""
    return f"Training {job.pk}: {job.dataset.example_count:,} {recipe['selection']} rationales{of}"
