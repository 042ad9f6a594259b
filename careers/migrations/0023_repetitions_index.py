"""The index by which the repetitions of an application are found."""

from django.db import migrations, models

from careers.migrations._indexes import AddIndexBesideWriters


class Migration(migrations.Migration):
    dependencies = [("careers", "0022_repetitions")]
    atomic = False

    operations = [
        AddIndexBesideWriters(
            "application",
            models.Index(
                fields=["repeats"],
                condition=models.Q(repeats__isnull=False),
                name="careers_app_repeats",
            ),
        ),
    ]
