"""Rationales are compared without empty lines, blanks at line ends and spellings of Unicode, see
`curation.text.clean.alike`. Of imported ones that are the same by that the first has the new hash; the later
ones keep theirs and stay. No text is changed: people decided on it as it stands."""

import hashlib

from django.db import migrations

from curation.text.clean import alike

AT_ONCE = 500


def hash_again(apps, schema_editor):
    Rationale = apps.get_model("rationales", "Rationale")
    rows = Rationale.objects.using(schema_editor.connection.alias).order_by("pk")
    last = 0
    while batch := list(
        rows.filter(pk__gt=last).only("text", "text_hash", "source", "question_id", "teacher_id")[
            :AT_ONCE
        ]
    ):
        last = batch[-1].pk
        new = {}
        for one in batch:
            digest = hashlib.sha256(alike(one.text).encode()).hexdigest()
            if digest != one.text_hash:
                new[one.pk] = digest
        if not new:
            continue
        same = rows.filter(
            source="import",
            question_id__in={one.question_id for one in batch if one.pk in new},
            text_hash__in=new.values(),
        )
        taken = set(same.values_list("question_id", "teacher_id", "text_hash"))
        changed = []
        for one in batch:
            if one.pk not in new:
                continue
            key = (one.question_id, one.teacher_id, new[one.pk])
            if one.source == "import":
                if key in taken:
                    continue
                taken.add(key)
            one.text_hash = new[one.pk]
            changed.append(one)
        rows.bulk_update(changed, ["text_hash"])


class Migration(migrations.Migration):
    dependencies = [("rationales", "0018_weights_of_a_run")]

    operations = [migrations.RunPython(hash_again, migrations.RunPython.noop, elidable=True)]
