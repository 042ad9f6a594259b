"""Flower writes a heartbeat, as the other processes do; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0044_handled")]

    operations = [
        migrations.AlterField(
            model_name="heartbeat",
            name="kind",
            field=models.CharField(
                choices=[
                    ("worker", "Worker"),
                    ("sweeper", "Sweeper"),
                    ("scheduler", "Scheduler"),
                    ("flower", "Flower"),
                    ("web", "Web server"),
                ],
                max_length=10,
            ),
        ),
    ]
