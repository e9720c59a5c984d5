from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("questions", "0008_work_in_turns")]

    operations = [migrations.RenameField("question", "reference_chain", "worked_solution")]
