"""The row that counts finished work, in a transaction of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0035_longer_phone")]

    operations = [
        migrations.CreateModel(
            name="FinishedWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("until", models.DateTimeField(null=True)),
                ("last_step", models.BigIntegerField(default=0)),
                ("last_application", models.BigIntegerField(default=0)),
                ("applications", models.BigIntegerField(default=0)),
                ("steps", models.JSONField(default=dict)),
                ("hours", models.JSONField(default=dict)),
                ("generation", models.BigIntegerField(default=0)),
                ("thinned_application", models.BigIntegerField(default=0)),
            ],
            options={"default_permissions": ()},
        ),
    ]
