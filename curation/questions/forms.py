from typing import Any

from django import forms

from curation.questions.correcting.known import TAKE_OVER
from curation.questions.models import Split
from curation.questions.samples import SAMPLES

ACCEPTED = ".jsonl,.json,.ndjson,.csv,.tsv,.txt,.xlsx,.parquet,.gz,.zip"


class ImportForm(forms.Form):
    file = forms.FileField(label="File", allow_empty_file=True)
    preset = forms.ChoiceField(
        label="Shape",
        required=False,
        choices=[("", "find it by itself, line by line"), *((s.preset, s.title) for s in SAMPLES)],
    )
    split = forms.ChoiceField(
        label="Split",
        choices=Split.choices,
        initial=Split.TRAIN,
        help_text="For rows that do not say it themselves. Held-out questions are never trained on.",
    )
    keep_good_rows = forms.BooleanField(
        label="Keep the good rows when some are bad",
        required=False,
        help_text="Without this a single bad row stops the import and nothing is written.",
    )
    take_over = forms.ChoiceField(
        label="Known questions that differ",
        required=False,
        choices=list(TAKE_OVER.items()),
        help_text="Each is listed with both values, whatever you choose.",
    )
    id_prefix = forms.CharField(
        label="Prefix for ids",
        required=False,
        max_length=60,
        help_text="Where the file’s ids stand for other questions here, such as “svamp-”.",
    )
    look = forms.BooleanField(
        required=False,
        widget=forms.HiddenInput,
        help_text="Show what the file is before it is stored.",
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].widget.attrs["accept"] = ACCEPTED
