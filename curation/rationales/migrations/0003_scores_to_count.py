import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    Score = apps.get_model("rationales", "Score")
    Rationale = apps.get_model("rationales", "Rationale")
    own = Rationale.objects.filter(pk=OuterRef("pk"))
    Score.objects.update(
        project_id=Subquery(own.values("project_id")[:1]),
        teacher_id=Subquery(own.values("teacher_id")[:1]),
        tokens=Subquery(own.values("completion_tokens")[:1]),
    )


class Migration(migrations.Migration):
    # Rows are filled in a transaction of their own: PostgreSQL alters no table with waiting triggers.
    atomic = False

    dependencies = [
        ("projects", "0002_student_length"),
        ("rationales", "0002_batches"),
    ]

    operations = [
        migrations.AddField(
            "scoringrun",
            "note",
            models.TextField(blank=True, default="", help_text="What could not be measured, and why."),
            preserve_default=False,
        ),
        migrations.AddField(
            "score",
            "project",
            models.ForeignKey(
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="projects.project",
            ),
        ),
        migrations.AddField(
            "score",
            "teacher",
            models.ForeignKey(
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="rationales.teacher",
            ),
        ),
        migrations.AddField("score", "tokens", models.PositiveIntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=True),
        migrations.AlterField(
            "score",
            "project",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="projects.project",
            ),
        ),
        migrations.AddIndex(
            "score",
            models.Index(
                fields=[
                    "project", "teacher", "correctness", "validity", "conciseness",
                    "structure", "redundancy", "tokens", "scorer_version",
                ],
                name="scores_to_count",
            ),
        ),
    ]
