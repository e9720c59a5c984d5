from django import forms

from curation.webhooks.services import MAX_URL


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=MAX_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://example.org/chainwright"}),
        help_text="Each decision is sent there as JSON, by POST, within seconds.",
    )
