"""Forms of orders and teachers."""

from typing import Any

from django import forms

from curation import key_names
from curation.projects.models import Project
from curation.questions.selectors import facets
from curation.rationales.generation.orders import MAX_TOKENS, Budget
from curation.rationales.generation.prompt_styles import choices
from curation.rationales.generation.question_filter import WHICH, Choice
from curation.rationales.models import Teacher
from curation.rationales.teachers.trial import FIELDS, MAX_QUESTION, QUESTION


class TeacherForm(key_names.ForgetsAPastedKey, forms.ModelForm):
    prompt_style = forms.ChoiceField(
        label="How it is asked", choices=lambda: choices(for_teacher=True)
    )
    base_url = forms.URLField(
        label="Address",
        required=False,
        max_length=300,
        validators=[key_names.holds_no_key],
        assume_scheme="http",
        help_text="Such as http://127.0.0.1:8000/v1.",
    )

    class Meta:
        model = Teacher
        fields = FIELDS
        labels = {
            "api_key_env": "Key: name of an environment variable",
            "max_tokens": "At most so many tokens",
            "top_p": "Top-p",
            "price_in": "Price of a million tokens read",
            "price_out": "Price of a million tokens written",
            "concurrency": "Requests at once",
            "samples_per_request": "Samples in one request",
            "requests_per_minute": "Requests a minute",
            "tokens_per_minute": "Tokens a minute",
            "dtype": "Numbers",
            "context_length": "Context length",
            "tensor_parallel": "GPUs that share each layer",
            "pipeline_parallel": "Groups of layers on GPUs",
            "gpu_memory": "Share of the GPU's memory",
        }
        help_texts = {
            "name": "How this teacher is called here.",
            "model": "The name of a folder below the worker’s models folder (MODEL_ROOTS); for vLLM "
            "also a name on the Hugging Face hub; at an address, the server’s name for it.",
            "api_key_env": key_names.HELP,
            "samples_per_request": "1 where the server does not know “n”.",
            "requests_per_minute": "0 is no limit.",
            "tokens_per_minute": "0 is no limit; read and written ones count.",
            "context_length": "Tokens of prompt and answer; 0 is the model's own.",
        }

    # What a teacher of another kind does not need may be left out: the model's defaults stand.
    may_be_left_out = FIELDS[FIELDS.index("concurrency") :]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.may_be_left_out:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        for name in self.may_be_left_out:
            if given.get(name) in (None, ""):
                given[name] = getattr(self.instance, name)
        return given

    def _get_validation_exclusions(self) -> set[str]:
        # Checked by the service, which knows the project; here it would be half checked.
        return {*super()._get_validation_exclusions(), "project"}


class TryForm(forms.Form):
    question = forms.CharField(
        label="A question",
        required=False,
        initial=QUESTION,
        max_length=MAX_QUESTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class BudgetForm(forms.Form):
    budget_money = forms.FloatField(label="Money", required=False, min_value=0)
    budget_tokens = forms.IntegerField(label="Tokens", required=False, min_value=1)
    budget_rationales = forms.IntegerField(label="Rationales", required=False, min_value=1)

    def budget(self) -> Budget:
        """Raises Invalid for a limit of nothing."""
        given = self.cleaned_data
        return Budget(given["budget_money"], given["budget_tokens"], given["budget_rationales"])


class CutOffForm(forms.Form):
    max_tokens = forms.IntegerField(
        label="At most so many tokens", min_value=1, max_value=MAX_TOKENS
    )
    order_key = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)


class RunForm(BudgetForm):
    teachers = forms.ModelMultipleChoiceField(
        Teacher.objects.none(), label="Teachers", widget=forms.CheckboxSelectMultiple
    )
    temperatures = forms.CharField(
        label="Temperatures",
        initial="0.3, 0.5, 0.7",
        max_length=200,
        help_text="With commas. Low ones give safe rationales, high ones different rationales.",
    )
    samples = forms.IntegerField(
        label="Samples at each temperature", initial=1, min_value=1, max_value=1000
    )
    which = forms.ChoiceField(label="Questions", choices=list(WHICH.items()), initial="train")
    limit = forms.IntegerField(label="So many questions", required=False, min_value=1)
    domain = forms.ChoiceField(label="Domain", required=False)
    subset = forms.ChoiceField(label="Subset", required=False)
    difficulty = forms.CharField(label="Difficulty", required=False, max_length=40)
    words = forms.CharField(label="With these words", required=False, max_length=200)
    prompt_style = forms.ChoiceField(label="How they are asked", required=False)
    enough = forms.IntegerField(
        label="Enough good ones",
        required=False,
        min_value=0,
        max_value=1000,
        help_text="A question gets no more once so many of its rationales pass the rubric; what that "
        "saves goes to questions that have none. Empty: every sample is written.",
    )
    max_tokens = forms.IntegerField(
        label="At most so many tokens",
        required=False,
        min_value=1,
        max_value=MAX_TOKENS,
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
        self.fields["prompt_style"].choices = [("", "as each teacher is set"), *choices()]
        for name, values in facets(project).items():
            self.fields[name].choices = [("", "all"), *((one, one) for one in values)]
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

    def choice(self) -> Choice:
        """Which questions; of fields that are wrong so far, nothing."""
        given = self.cleaned_data
        return Choice(
            which=given.get("which") or "train",
            limit=given.get("limit") if given.get("which") == "first" else None,
            **{name: given.get(name) or "" for name in ("domain", "subset", "difficulty", "words")},
        )
