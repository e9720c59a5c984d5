"""An index less for each key that another index begins with. By name instead of by AlterField, which on
SQLite would copy the tables and lose the triggers of the history."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

DROPPED = (
    ("QueueItem", "project"),
    ("Seat", "item"),
    ("Seat", "assigned_to"),
    ("Seat", "holder"),
    ("Review", "project"),
    ("Decision", "project"),
    ("Decision", "rule"),
)


def _key(to, on_delete, name, null=False):
    return models.ForeignKey(
        to, null=null, on_delete=on_delete, related_name=name, db_index=False
    )


CASCADE, SET_NULL, PROTECT = (
    django.db.models.deletion.CASCADE,
    django.db.models.deletion.SET_NULL,
    django.db.models.deletion.PROTECT,
)
USER = settings.AUTH_USER_MODEL


def _names(apps, schema_editor):
    """(model, field, the name that Django gave its index)."""
    for model_name, field_name in DROPPED:
        model = apps.get_model("reviews", model_name)
        field = model._meta.get_field(field_name)
        name = schema_editor._create_index_name(model._meta.db_table, [field.column], suffix="")
        yield model, field, name


def drop(apps, schema_editor):
    for _, _, name in _names(apps, schema_editor):
        schema_editor.execute(f"DROP INDEX IF EXISTS {schema_editor.quote_name(name)}")


def make(apps, schema_editor):
    for model, field, name in _names(apps, schema_editor):
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[field], name=name))


class Migration(migrations.Migration):
    dependencies = [("reviews", "0010_whole_project")]

    operations = [
        migrations.AddIndex(
            model_name="seat",
            index=models.Index(
                fields=["assigned_to"],
                condition=models.Q(("assigned_to__isnull", False)),
                name="seats_that_were_assigned",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                fields=["rule", "rationale"],
                condition=models.Q(("rule__isnull", False)),
                name="decisions_of_a_rule",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make)],
            state_operations=[
                migrations.AlterField("queueitem", "project", _key("projects.project", CASCADE, "queue")),
                migrations.AlterField("seat", "item", _key("reviews.queueitem", CASCADE, "seats")),
                migrations.AlterField("seat", "assigned_to", _key(USER, SET_NULL, "+", null=True)),
                migrations.AlterField("seat", "holder", _key(USER, SET_NULL, "+", null=True)),
                migrations.AlterField("review", "project", _key("projects.project", CASCADE, "reviews")),
                migrations.AlterField("decision", "project", _key("projects.project", CASCADE, "decisions")),
                migrations.AlterField("decision", "rule", _key("projects.rubric", PROTECT, "decisions", null=True)),
            ],
        ),
    ]
