import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    Score = apps.get_model("rationales", "Score")
    ScoreFlag = apps.get_model("rationales", "ScoreFlag")
    flagged = Score.objects.filter(flag_count__gt=0).order_by("pk")
    last = 0
    while rows := list(
        flagged.filter(pk__gt=last).values_list("pk", "project_id", "detail")[:1000]
    ):
        last = rows[-1][0]
        ScoreFlag.objects.bulk_create(
            (
                ScoreFlag(project_id=project, rationale_id=pk, code=code[:40])
                for pk, project, detail in rows
                for code in sorted(
                    {flag["code"] for flag in detail["flags"]}
                    | {flag["code"] for step in detail["steps"] for flag in step["flags"]}
                )
            ),
            batch_size=500,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0001_initial"),
        ("rationales", "0006_tries"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScoreFlag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=40)),
                (
                    "project",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="projects.project"),
                ),
                (
                    "rationale",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="score_flags", to="rationales.rationale"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["project", "code", "rationale"], name="rationales_with_a_flag")
                ],
            },
        ),
        migrations.AddIndex(
            "rationale",
            models.Index(fields=["project", "temperature", "id"], name="rationales_at_a_temperature"),
        ),
        migrations.AddIndex(
            "rationale",
            models.Index(fields=["project", "created_at"], name="rationales_by_day"),
        ),
        migrations.AddIndex(
            "score",
            models.Index(fields=["project", "overall", "rationale"], name="scores_in_order"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
