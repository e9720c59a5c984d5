"""The form in which an admin corrects a question."""

import json
from typing import Any

from django import forms

from curation.errors import Invalid
from curation.questions.correcting.changing import FIELDS, MAX_TEXT, values_of, version_of
from curation.questions.models import AnswerType, Question, Split

LISTS = ("choices", "other_answers")


def _area(name: str, rows: int, **more: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    label = FIELDS[name].capitalize()
    # Blanks at its beginning may be code: what is cut off is `changing.checked`'s to say.
    return forms.CharField(
        label=label, widget=widget, strip=False, max_length=MAX_TEXT, **{"required": False, **more}
    )


class QuestionForm(forms.Form):
    text = _area("text", 6, required=True)
    reference_answer = _area("reference_answer", 2, help_text="Empty: none is known.")
    other_answers = _area(
        "other_answers", 2, help_text="One a line: answers that are right as well."
    )
    answer_type = forms.ChoiceField(
        label="Kind of answer",
        required=False,
        choices=[("", "read from the reference"), *AnswerType.choices],
    )
    choices = _area("choices", 4, help_text="One a line, for a question with choices.")
    worked_solution = _area("worked_solution", 4)
    domain = forms.CharField(label="Domain", required=False, max_length=100)
    difficulty = forms.CharField(label="Difficulty", required=False, max_length=40)
    split = forms.ChoiceField(label="Split", choices=Split.choices)
    subset = forms.CharField(label="Subset", required=False, max_length=60)
    external_id = forms.CharField(label="Id in its file", required=False, max_length=200)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    @staticmethod
    def initial_of(question: Question) -> dict[str, Any]:
        values = values_of(question) | {"version": version_of(question)}
        return values | {name: lines_of(values[name]) for name in LISTS}

    def values(self) -> dict[str, Any]:
        """For `changing.change_question`. Raises Invalid for a list that cannot be read."""
        given = {name: self.cleaned_data[name] for name in FIELDS}
        return given | {name: list_of(FIELDS[name], given[name]) for name in LISTS}


def lines_of(values: list[str]) -> str:
    """A list as one writes it in a field: a value a line; as JSON where one has several lines itself."""
    if any("\n" in one or one.startswith("[") for one in values):
        return json.dumps(values, ensure_ascii=False, indent=1)
    return "\n".join(values)


def list_of(name: str, text: str) -> list[str]:
    text = text.strip()
    if not text.startswith("["):
        return [line for line in text.splitlines() if line.strip()]
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid(f"The {name} begin with [ and are no JSON list: {error}.") from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Invalid(f"The {name} must be a JSON list of texts.")
    return found
