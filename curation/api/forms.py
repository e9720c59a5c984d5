"""What may be chosen when a token is made."""

from typing import Any

from django import forms

from curation.api.models import Scope
from curation.projects.models import Project, User

DAYS = {7: "a week", 30: "30 days", 90: "90 days", 365: "a year"}


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80, label="Name", help_text="What it is for, such as “nightly script”."
    )
    scope = forms.ChoiceField(
        choices=Scope.choices,
        initial=Scope.READ,
        label="What it may do",
        help_text="Never more than you may yourself, at the moment of its use.",
    )
    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, label="Project", empty_label="all of mine"
    )
    days = forms.TypedChoiceField(
        choices=list(DAYS.items()), coerce=int, initial=90, label="Holds for"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = Project.objects.for_user(user).order_by("name")
