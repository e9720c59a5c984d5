"""A row holds the name of a key's variable and never a key: what is something else is emptied first."""

import re
import sys

import django.core.validators
from django.db import migrations, models

NAME = re.compile(r"([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\Z")
# The workers refused such a "name" in these words, and repeated it before them.
OLD_WORDS = "cannot name a key"
NEW_WORDS = "The key was not given by the name of an environment variable: see the teacher’s settings."


def empty_what_is_no_name(apps, schema_editor):
    """Such a row was never asked: the workers refused it. What was there is not printed either."""
    model = apps.get_model
    for kind in ("Teacher", "Judge"):
        rows = model("rationales", kind).objects.exclude(api_key_env="").select_related("project")
        for row in rows.iterator():
            if not NAME.match(row.api_key_env):
                rows.filter(pk=row.pk).update(api_key_env="")
                print(
                    f"{kind} “{row.name}” of project {row.project.slug} held no name of a variable as "
                    "its key. It was removed; if it was a key, revoke it: backups still hold it.",
                    file=sys.stderr,
                )
    for row in model("rationales", "TeacherTry").objects.iterator():
        if not NAME.match(row.settings.get("api_key_env") or "NO_API_KEY"):
            row.settings["api_key_env"] = ""
            row.save(update_fields=["settings"])
    for kind, field in (("TeacherTry", "error"), ("GenerationRun", "error"), ("ScoringRun", "note")):
        said = model("rationales", kind).objects.filter(**{f"{field}__contains": OLD_WORDS})
        said.update(**{field: NEW_WORDS})
    failed = model("rationales", "Slot").objects.filter(status="failed")
    failed.filter(error__contains=OLD_WORDS).update(error=NEW_WORDS)



class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0007_deleted'),
        ('rationales', '0012_order_keys_of_a_person'),
    ]

    operations = [
        migrations.RunPython(empty_what_is_no_name, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='judge',
            name='api_key_env',
            field=models.CharField(blank=True, max_length=80, validators=[django.core.validators.RegexValidator('^([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\\Z', 'Give the name of an environment variable: SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. A key itself is never stored: if you have pasted one here, revoke it where it was made.')]),
        ),
        migrations.AlterField(
            model_name='teacher',
            name='api_key_env',
            field=models.CharField(blank=True, max_length=80, validators=[django.core.validators.RegexValidator('^([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\\Z', 'Give the name of an environment variable: SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. A key itself is never stored: if you have pasted one here, revoke it where it was made.')]),
        ),
        migrations.AddConstraint(
            model_name='judge',
            constraint=models.CheckConstraint(condition=models.Q(('api_key_env', ''), ('api_key_env__regex', '^([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\\Z'), _connector='OR'), name='a_judge_names_its_key_and_holds_none', violation_error_message='Give the name of an environment variable: SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. A key itself is never stored: if you have pasted one here, revoke it where it was made.'),
        ),
        migrations.AddConstraint(
            model_name='teacher',
            constraint=models.CheckConstraint(condition=models.Q(('api_key_env', ''), ('api_key_env__regex', '^([A-Z][A-Z0-9_]*_API_KEY|CHAINWRIGHT_KEY_[A-Z0-9_]+)\\Z'), _connector='OR'), name='a_teacher_names_its_key_and_holds_none', violation_error_message='Give the name of an environment variable: SOMETHING_API_KEY or CHAINWRIGHT_KEY_SOMETHING. A key itself is never stored: if you have pasted one here, revoke it where it was made.'),
        ),
    ]
