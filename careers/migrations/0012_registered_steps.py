"""The kind of a step is the name of a registered step, so the column lists no choices."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0011_plain_names")]
    operations = [
        # Nothing changes in the database: choices are Django's own.
        migrations.AlterField("step", "kind", models.CharField("step", max_length=20)),
    ]
