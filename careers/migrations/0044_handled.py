"""Steps that a person handled by hand, and an index for the search by recipient."""

from django.db import migrations, models

from careers.migrations._indexes import AddColumnOnce, AddIndexBesideWriters


class Migration(migrations.Migration):
    dependencies = [("careers", "0043_bulk_acts")]
    atomic = False

    operations = [
        AddColumnOnce(
            model_name="step", name="handled_at", field=models.DateTimeField(null=True)
        ),
        AddIndexBesideWriters(
            "step",
            models.Index(
                fields=["recipient", "application"],
                condition=models.Q(recipient__gt=""),
                name="careers_step_recipient",
            ),
        ),
    ]
