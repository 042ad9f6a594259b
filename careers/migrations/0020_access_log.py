"""Columns of the access log: the name of the person, and the hour of which reading counts once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0019_networks_and_mailboxes")]

    operations = [
        migrations.AlterModelOptions(
            "applicationview",
            {
                "default_permissions": (),
                "permissions": [("view_access_log", "Can see the access log")],
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.AddField(
            "applicationview",
            "user_name",
            models.CharField(blank=True, default="", db_default="", max_length=255),
        ),
        migrations.AddField("applicationview", "hour", models.DateTimeField(null=True)),
    ]
