"""Answers that were not read are kept apart from wrong ones, in the rows and in the stored reports."""

import re
from typing import Any

from django.db import migrations, models
from django.db.models import Count, Q

COUNTED = re.compile(r"could not be graded and count as wrong\.")


def fill(apps: Any, schema_editor: Any) -> None:
    """Until now an answer in which none was found was counted as wrong. The share of right answers was one
    of all that came back, and stays what it was."""
    alias = schema_editor.connection.alias
    answers = apps.get_model("evaluations", "Answer")._base_manager.using(alias)
    evaluations = apps.get_model("evaluations", "Evaluation")._base_manager.using(alias)
    answers.filter(Q(answer__isnull=True) | Q(answer=""), right=False).update(right=None)
    for pk, report, verdict in evaluations.exclude(report={}).values_list("pk", "report", "verdict"):
        counted = (
            answers.filter(evaluation=pk, right__isnull=True)
            .exclude(finish_reason="error")
            .order_by()
            .values_list("model", "question__split", "question__subset")
            .annotate(n=Count("pk"))
        )
        found = {(model, split, subset): n for model, split, subset, n in counted}
        for model in report.get("models", []):
            for group in model["groups"]:
                group.pop("n_ungraded", None)
                where = (model["name"], group["split"], group["subset"])
                group["n_not_read"] = found.get(where, 0)
        verdict = [COUNTED.sub("could not be read.", sentence) for sentence in verdict]
        evaluations.filter(pk=pk).update(report=report, verdict=verdict)


def back(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    evaluations = apps.get_model("evaluations", "Evaluation")._base_manager.using(alias)
    for pk, report in evaluations.exclude(report={}).values_list("pk", "report"):
        for model in report.get("models", []):
            for group in model["groups"]:
                group["n_ungraded"] = group.pop("n_not_read", 0)
        evaluations.filter(pk=pk).update(report=report)


class Migration(migrations.Migration):
    dependencies = [("evaluations", "0006_work_in_turns")]

    operations = [
        migrations.AlterField(
            model_name="answer",
            name="right",
            field=models.BooleanField(
                help_text="Null: the answer was not read, and is neither right nor wrong.", null=True
            ),
        ),
        migrations.RunPython(fill, back),
    ]
