from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("reviews", "0003_fill_seats"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='queueitem',
            name='a_held_item_says_until_when',
        ),
        migrations.RemoveIndex(
            model_name='queueitem',
            name='waiting_items_by_rank',
        ),
        migrations.RemoveIndex(
            model_name='queueitem',
            name='items_that_a_person_holds',
        ),
        migrations.RemoveField(
            model_name='queueitem',
            name='held_until',
        ),
        migrations.RemoveField(
            model_name='queueitem',
            name='holder',
        ),
    ]
