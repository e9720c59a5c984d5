"""What may be chosen when a dataset is frozen."""

from typing import Any

from django import forms

SELECTIONS = (
    ("approved", "Approved rationales"),
    ("unfiltered", "Rationales as they were written, to compare with"),
)


class FreezeForm(forms.Form):
    selection = forms.ChoiceField(choices=SELECTIONS, initial="approved", label="Which rationales")
    teachers = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: of all teachers, and what people wrote or edited.",
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

    def __init__(self, *args: Any, names: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["teachers"].choices = [(name, name) for name in names]
