"""How a project is reviewed, and which questions are set aside for whom."""

from typing import Any

from django import forms

from curation.projects.models import Project, User
from curation.questions.selectors import facets

MOST_AT_ONCE = 100_000


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Project
        fields = ("overlap", "is_blind", "is_shuffled", "hides_reference", "control_percent")
        labels = {
            "overlap": "Reviews of each question",
            "is_blind": "Hide which teacher wrote a rationale",
            "is_shuffled": "Give each reviewer an order of rationales of their own",
            "hides_reference": "Hide the reference answer until a reviewer asks for it",
            "control_percent": "Control questions, in a hundred",
        }
        help_texts = {
            "overlap": "1 to 10 people review a question, each without seeing what the others say. Where "
            "they do not agree, an admin decides. A change holds for what waits, too.",
            "is_blind": "Whoever knows the author judges the author. Admins still see names outside the "
            "bench.",
            "is_shuffled": "Else the likeliest good rationale stands first, and its place sways people.",
            "hides_reference": "People read the steps first; one key shows the answer.",
            "control_percent": "Of a reviewer’s questions so many are ones whose verdict is known; they "
            "look like any other. 0 to 50; 0 mixes none in.",
        }


class AssignForm(forms.Form):
    """A slice of the waiting questions by filter, for one person."""

    person = forms.ModelChoiceField(User.objects.none(), label="For", empty_label=None)
    domain = forms.ChoiceField(required=False)
    difficulty = forms.CharField(required=False, max_length=40)
    q = forms.CharField(required=False, max_length=200, label="Words")
    flagged = forms.BooleanField(required=False, label="Only flagged questions")
    most = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_AT_ONCE,
        label="At most",
        help_text="Best first.",
    )

    def __init__(self, data: Any, project: Project) -> None:
        super().__init__(data)
        members = User.objects.filter(memberships__project=project, is_active=True)
        self.fields["person"].queryset = members.order_by("username")
        domains = facets(project)["domain"]
        self.fields["domain"].choices = [("", "all"), *((one, one) for one in domains)]
