import datetime
from django.db import migrations, models

from curation.db.migrating import from_wall_times


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0006_by_operator'),
    ]

    operations = [
        migrations.AddField(
            model_name='datasetcheck',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='datasetcheck',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        migrations.AddField(
            model_name='datasetversion',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='datasetversion',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        from_wall_times("datasets", "DatasetCheck", "DatasetVersion"),
    ]
