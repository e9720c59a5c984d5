import datetime
from django.db import migrations, models

from curation.db.migrating import from_wall_times


class Migration(migrations.Migration):

    dependencies = [
        ('evaluations', '0004_by_operator'),
    ]

    operations = [
        migrations.AddField(
            model_name='evaluation',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='evaluation',
            name='failed',
            field=models.PositiveIntegerField(default=0, help_text='Answers that did not come.'),
        ),
        migrations.AddField(
            model_name='evaluation',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='done',
            field=models.PositiveIntegerField(default=0, help_text='Answers that came.'),
        ),
        from_wall_times("evaluations", "Evaluation"),
    ]
