"""Questions are compared as `curation.questions.correcting.sameness` does it now: under NFC. Two that stood apart
by their spelling alone stay two: the later one keeps its old hash, so nobody's work is merged by an update."""

from django.db import migrations

from curation.questions.correcting.sameness import content_hash, text_key

AT_ONCE = 500


def hash_again(apps, schema_editor):
    Question = apps.get_model("questions", "Question")
    rows = Question.objects.using(schema_editor.connection.alias).order_by("pk")
    last = 0
    while batch := list(
        rows.filter(pk__gt=last).only("project_id", "text", "choices", "content_hash")[:AT_ONCE]
    ):
        last = batch[-1].pk
        new = {}
        for one in batch:
            one.text_key = text_key(one.text)
            digest = content_hash(one.text, one.choices)
            if digest != one.content_hash:
                new[one.pk] = digest
        taken = set(
            rows.filter(content_hash__in=new.values()).values_list("project_id", "content_hash")
        )
        for one in batch:
            if one.pk in new and (one.project_id, new[one.pk]) not in taken:
                one.content_hash = new[one.pk]
                taken.add((one.project_id, one.content_hash))
        rows.bulk_update(batch, ["text_key", "content_hash"])


class Migration(migrations.Migration):
    dependencies = [("questions", "0011_changed_questions")]

    operations = [migrations.RunPython(hash_again, migrations.RunPython.noop, elidable=True)]
