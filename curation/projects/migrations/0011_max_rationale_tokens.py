from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("projects", "0010_sessions_by_hash")]

    operations = [migrations.RenameField("project", "max_chain_tokens", "max_rationale_tokens")]
