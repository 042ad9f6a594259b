"""The names of the code, for tables and columns that keep the names they have."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0010_delivered_at")]

    # Nothing changes in the database, so old code runs beside new.
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterModelTable("notice", "careers_notice"),
                migrations.RenameModel("Notice", "Alert"),
                migrations.AlterModelTable("lineage", "careers_lineage"),
                migrations.RenameModel("Lineage", "DatabaseIdentity"),
                migrations.RemoveConstraint("step", "careers_step_once_per_notice"),
                migrations.RemoveConstraint("step", "careers_step_about_one_thing"),
                migrations.RenameField("step", "notice", "alert"),
                migrations.AlterField(
                    "step",
                    "alert",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="careers.alert",
                        db_column="notice_id",
                    ),
                ),
                migrations.RenameField("step", "rung_at", "dispatched_at"),
                migrations.AlterField(
                    "step", "dispatched_at", models.DateTimeField(null=True, db_column="rung_at")
                ),
                migrations.RenameField("step", "rings", "dispatches"),
                migrations.AlterField(
                    "step",
                    "dispatches",
                    models.PositiveIntegerField(default=0, db_column="rings"),
                ),
                migrations.AddConstraint(
                    "step",
                    models.UniqueConstraint(
                        fields=["alert", "kind", "recipient", "sequence"],
                        name="careers_step_once_per_notice",
                    ),
                ),
                migrations.AddConstraint(
                    "step",
                    models.CheckConstraint(
                        condition=models.Q(application=None, alert__isnull=False)
                        | models.Q(application__isnull=False, alert=None),
                        name="careers_step_about_one_thing",
                    ),
                ),
                migrations.AlterField(
                    "alert",
                    "kind",
                    models.CharField(
                        choices=[
                            ("alert", "Problem"),
                            ("recovered", "Resolved"),
                            ("digest", "Daily summary"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
            ]
        )
    ]
