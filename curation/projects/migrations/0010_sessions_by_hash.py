"""Sessions are kept under a hash of their key: those under the plain key go. People sign in once again."""

from typing import Any

from django.db import migrations


def sign_out_everybody(apps: Any, schema_editor: Any) -> None:
    session = apps.get_model("sessions", "Session")
    session.objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0009_owners_may_create"),
        ("sessions", "0001_initial"),
    ]
    operations = [migrations.RunPython(sign_out_everybody, sign_out_everybody)]
