"""Who created a project is in its first rubric; who leads a project may create others, as before."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    project, rubric, user, membership = (
        apps.get_model("projects", name)._base_manager.using(using)
        for name in ("Project", "Rubric", "User", "Membership")
    )
    first = rubric.filter(project=OuterRef("pk"), version=1).values("created_by")[:1]
    project.filter(created_by=None).update(created_by=Subquery(first))
    admins = membership.filter(role="admin").values("user")
    user.filter(pk__in=admins).update(may_create_projects=True)


class Migration(migrations.Migration):
    dependencies = [("projects", "0008_who_creates_projects")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
