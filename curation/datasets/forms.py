"""What may be chosen when a dataset is frozen."""

from typing import Any

from django import forms

from curation.datasets.recipes import BALANCE, STYLES, THOUGHTS, WHICH

SELECTIONS = (
    ("approved", "Approved rationales"),
    ("unfiltered", "Rationales as they were written, to compare with"),
)
LOWEST = ("overall", "validity", "conciseness", "structure")  # thresholds that the page asks for


class FreezeForm(forms.Form):
    selection = forms.ChoiceField(choices=SELECTIONS, initial="approved", label="Which rationales")
    teachers = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: of all teachers, and what people wrote or edited.",
    )
    domains = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: of all domains.",
    )
    view = forms.ChoiceField(
        required=False,
        label="Saved view",
        help_text="Only what this view of the list of rationales keeps, as it is now.",
    )
    right_only = forms.BooleanField(
        required=False,
        label="Only with a right answer",
        help_text="Without it, what people approved goes in although no answer was read.",
    )
    overall = forms.FloatField(required=False, min_value=0, max_value=100, label="Overall at least")
    validity = forms.FloatField(
        required=False, min_value=0, max_value=100, label="Valid steps at least"
    )
    conciseness = forms.FloatField(
        required=False, min_value=0, max_value=100, label="Conciseness at least"
    )
    structure = forms.FloatField(
        required=False, min_value=0, max_value=100, label="Structure at least"
    )
    per_question = forms.IntegerField(required=False, min_value=1, label="Of each question at most")
    which = forms.ChoiceField(
        required=False, choices=WHICH.items(), initial="random", label="And of several"
    )
    max_tokens = forms.IntegerField(
        required=False,
        min_value=1,
        label="Tokens at most",
        help_text="Of question and rationale together, as the student can take.",
    )
    balance = forms.ChoiceField(required=False, choices=BALANCE.items(), label="Balance")
    style = forms.ChoiceField(
        required=False, choices=STYLES.items(), initial="rationale_first", label="Order"
    )
    thoughts = forms.ChoiceField(
        required=False,
        choices=THOUGHTS.items(),
        initial="final",
        label="Thoughts",
        help_text="What a reasoning model wrote before its final text.",
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        label="At most",
        help_text="So many examples, spread over as many questions as possible. Empty: all.",
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Draws which ones, where there is a limit. The same seed draws the same.",
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, names: list[str], domains: list[str], views: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teachers"].choices = [(name, name) for name in names]
        self.fields["domains"].choices = [(name, name) for name in domains]
        self.fields["view"].choices = [("", "none"), *((name, name) for name in views)]

    @property
    def more(self) -> list[forms.BoundField]:
        """The fields that most people leave as they are."""
        names = ("view", *LOWEST, "per_question", "which", "max_tokens", "balance", "style")
        return [self[name] for name in (*names, "thoughts")]

    def recipe(self) -> dict[str, Any]:
        """What a valid form says, as `make_recipe` takes it."""
        chosen = self.cleaned_data
        return {
            "selection": chosen["selection"],
            "teachers": chosen["teachers"],
            "domains": chosen["domains"],
            "view": chosen["view"],
            "right_only": chosen["right_only"],
            "minimum": {n: chosen[n] / 100 for n in LOWEST if chosen[n] is not None},
            "per_question": chosen["per_question"],
            "which": chosen["which"] or "random",
            "max_tokens": chosen["max_tokens"],
            "balance": chosen["balance"],
            "style": chosen["style"] or "rationale_first",
            "thoughts": chosen["thoughts"] or "final",
            "limit": chosen["limit"],
            "seed": chosen["seed"] or 0,
        }
