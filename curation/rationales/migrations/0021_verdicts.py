"""Each score says its verdict: what was not read is kept apart from what is wrong."""

from typing import Any

from django.db import migrations, models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When


def fill(apps: Any, schema_editor: Any) -> None:
    """From what the rows hold. Until now a rationale without an answer was counted as wrong: it was not
    read."""
    alias = schema_editor.connection.alias
    scores = apps.get_model("rationales", "Score")._base_manager.using(alias)
    flags = apps.get_model("rationales", "ScoreFlag")._base_manager.using(alias)
    rationales = apps.get_model("rationales", "Rationale")._base_manager.using(alias)
    has_reference = Exists(
        rationales.filter(pk=OuterRef("pk"), question__reference_answer__isnull=False)
    )
    scores.update(
        verdict=Case(
            When(correctness=1.0, then=Value("right")),
            When(correctness=0.0, answer__isnull=False, then=Value("wrong")),
            When(Q(has_reference), then=Value("not_read")),
            default=Value("no_reference"),
        )
    )

    def flagged(code: str) -> Exists:
        return Exists(flags.filter(rationale=OuterRef("rationale"), code=code))

    scores.filter(verdict="not_read").update(
        unread=Case(
            When(flagged("cut_off"), then=Value("cut_off")),
            When(flagged("empty"), then=Value("empty")),
            When(answer__isnull=True, then=Value("nothing_found")),
            default=Value("not_understood"),
        )
    )


def back(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    scores = apps.get_model("rationales", "Score")._base_manager.using(alias)
    nothing = Q(verdict="not_read", answer__isnull=True)
    scores.update(
        correctness=Case(
            When(verdict="right", then=Value(1.0)),
            When(Q(verdict="wrong") | nothing, then=Value(0.0)),
            default=F("correctness"),
        )
    )


VERDICTS = [
    ("right", "right"),
    ("wrong", "wrong"),
    ("not_read", "not read"),
    ("no_reference", "no reference"),
]


class Migration(migrations.Migration):
    dependencies = [("rationales", "0020_labels_of_steps")]

    operations = [
        migrations.RemoveIndex(model_name="score", name="scores_to_count"),
        migrations.AddField(
            model_name="score",
            name="verdict",
            field=models.CharField(choices=VERDICTS, default="no_reference", max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="score",
            name="unread",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Why the answer could not be read: a code.",
                max_length=40,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill, back),
        migrations.RemoveField(model_name="score", name="correctness"),
        migrations.AddIndex(
            model_name="score",
            index=models.Index(
                fields=[
                    *("project", "teacher", "verdict", "validity"),
                    *("conciseness", "structure", "redundancy", "tokens", "scorer_version"),
                ],
                name="scores_to_count",
            ),
        ),
        migrations.AddIndex(
            model_name="score",
            index=models.Index(
                fields=["project", "verdict", "rationale"], name="scores_by_verdict"
            ),
        ),
        migrations.AddConstraint(
            model_name="score",
            constraint=models.CheckConstraint(
                condition=Q(unread="") | Q(verdict="not_read"),
                name="only_what_was_not_read_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="score",
            constraint=models.CheckConstraint(
                condition=Q(verdict__in=[value for value, _ in VERDICTS]),
                name="a_score_has_a_verdict",
            ),
        ),
    ]
