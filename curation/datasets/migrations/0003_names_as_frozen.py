from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    Example = apps.get_model("datasets", "Example")
    Rationale = apps.get_model("rationales", "Rationale")
    own = Rationale.objects.filter(pk=OuterRef("rationale_id"))
    Example.objects.update(
        teacher=Subquery(own.values("teacher__name")[:1]),
        author=Subquery(own.values("author__username")[:1]),
    )


class Migration(migrations.Migration):
    # Rows are filled in a transaction of their own: PostgreSQL alters no table with waiting triggers.
    atomic = False

    dependencies = [
        ("datasets", "0002_initial"),
        ("rationales", "0003_scores_to_count"),
    ]

    operations = [
        migrations.AddField("example", "author", models.CharField(max_length=150, null=True)),
        migrations.AddField("example", "teacher", models.CharField(max_length=80, null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=True),
    ]
