"""Each question of the queue gets the one seat that it had in its own row."""

from django.db import migrations


def fill(apps, schema_editor):
    QueueItem = apps.get_model("reviews", "QueueItem")
    Review = apps.get_model("reviews", "Review")
    Seat = apps.get_model("reviews", "Seat")
    last = 0
    while items := list(QueueItem.objects.filter(pk__gt=last).order_by("pk")[:1000]):
        last = items[-1].pk
        done = [item.question_id for item in items if item.status == "done"]
        # The last one wins: ordered by id, later rows overwrite earlier ones.
        by = dict(
            Review.objects.filter(rationale__question__in=done, withdrawn_at__isnull=True)
            .order_by("id")
            .values_list("rationale__question_id", "reviewer_id")
        )
        Seat.objects.bulk_create(
            Seat(
                project_id=item.project_id,
                item_id=item.pk,
                number=1,
                rank=item.rank,
                holder_id=by.get(item.question_id) if item.status == "done" else item.holder_id,
                held_until=item.held_until,
                done_at=item.done_at if item.status == "done" else None,
            )
            for item in items
            # Done without a person: the rule had approved all chains, and nobody sat there.
            if item.status != "done" or (item.question_id in by and item.done_at)
        )


class Migration(migrations.Migration):

    dependencies = [
        ("reviews", "0002_seats"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
