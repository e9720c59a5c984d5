"""What may be chosen when a training is ordered."""

from typing import Any

from django import forms

from curation.datasets.models import DatasetVersion
from curation.training.presets import PRESETS


class TrainingForm(forms.Form):
    dataset = forms.TypedChoiceField(coerce=int)
    preset = forms.ChoiceField(
        choices=[(name, f"{name}: {sentence}") for name, sentence in PRESETS.items()],
        widget=forms.RadioSelect,
    )
    epochs = forms.FloatField(
        required=False,
        min_value=0.01,
        max_value=1000,
        help_text="How often the student sees every example.",
    )
    learning_rate = forms.FloatField(
        required=False,
        min_value=1e-8,
        max_value=1.0,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Another seed gives another student: the way to see how much is luck.",
    )
    evaluate_after = forms.BooleanField(
        required=False,
        initial=True,
        label="Measure the student as soon as it is trained",
        help_text="Beside its base and the teachers, on questions that it has not seen.",
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    OVERRIDES = ("epochs", "learning_rate", "seed")

    def __init__(self, *args: Any, datasets: list[DatasetVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].choices = [(one.number, _label(one)) for one in datasets]

    def presets(self) -> list[tuple[Any, str, str]]:
        """(radio button, name, its sentence), for the page to lay out."""
        return [(box.tag(), *box.choice_label.split(": ", 1)) for box in self["preset"]]

    def recipe(self) -> dict[str, Any]:
        """What differs from the preset."""
        chosen = self.cleaned_data
        changes = {name: chosen[name] for name in self.OVERRIDES if chosen[name] is not None}
        # A preset may count steps; whoever says how many epochs does not want those.
        return {**changes, "max_steps": 0} if "epochs" in changes else changes


def _label(one: DatasetVersion) -> str:
    if not one.sha256:
        return f"Dataset {one.number}, being frozen"
    of = f" of {', '.join(one.recipe['teachers'])}" if one.recipe["teachers"] else ""
    return f"Dataset {one.number}: {one.example_count:,} {one.recipe['selection']} rationales{of}"
