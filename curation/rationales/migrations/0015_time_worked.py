import datetime
from django.db import migrations, models

from curation.db.migrating import from_wall_times


class Migration(migrations.Migration):

    dependencies = [
        ('rationales', '0014_by_operator'),
    ]

    operations = [
        migrations.AddField(
            model_name='generationrun',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='generationrun',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        migrations.AddField(
            model_name='scoringrun',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='scoringrun',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        migrations.AddField(
            model_name='teachertry',
            name='begun_at',
            field=models.DateTimeField(editable=False, help_text='When the attempt that runs now began.', null=True),
        ),
        migrations.AddField(
            model_name='teachertry',
            name='worked',
            field=models.DurationField(default=datetime.timedelta, editable=False, help_text='The time of the attempts that ended.'),
        ),
        migrations.AlterField(
            model_name='scoringrun',
            name='done',
            field=models.PositiveIntegerField(default=0, help_text='rationales that it scored, each once; written with their scores'),
        ),
        from_wall_times("rationales", "GenerationRun", "ScoringRun", "TeacherTry"),
    ]
