import datetime
from django.db import migrations, models

from curation.db.migrating import from_wall_times


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0003_by_operator'),
    ]

    operations = [
        migrations.AddField(
            model_name='trainingjob',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='trainingjob',
            name='events_read',
            field=models.BigIntegerField(default=0, help_text='Bytes of its events that stand in the rows: no event counts twice.'),
        ),
        migrations.AddField(
            model_name='trainingjob',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        from_wall_times("training", "TrainingJob"),
    ]
