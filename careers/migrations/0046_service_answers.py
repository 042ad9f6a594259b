"""The last good and the last bad answer of each service."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0045_flower_heartbeat")]

    operations = [
        migrations.CreateModel(
            name="ServiceAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40, unique=True)),
                ("good_at", models.DateTimeField(null=True)),
                ("bad_at", models.DateTimeField(null=True)),
                ("finding", models.CharField(blank=True, max_length=120)),
                ("facts", models.JSONField(default=dict)),
            ],
            options={"ordering": ["name"], "default_permissions": ()},
        ),
    ]
