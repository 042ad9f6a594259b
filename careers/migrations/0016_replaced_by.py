"""``Step.replaced_by``, and the words for states and errors as people read them."""

import django.db.models.deletion
from django.db import migrations, models

STATES = [
    ("waiting", "Waiting for an earlier step"),
    ("queued", "Queued"),
    ("sent", "Sent to a worker"),
    ("started", "Running"),
    ("retrying", "Will retry"),
    ("succeeded", "Done"),
    ("failed", "Failed"),
    ("uncertain", "Unconfirmed"),
    ("cancelled", "Cancelled"),
]


class Migration(migrations.Migration):
    dependencies = [("careers", "0015_questions_field")]

    operations = [
        migrations.AddField(
            "step",
            "replaced_by",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="careers.step",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "application",
                    "quarantined",
                    models.BooleanField(default=False, verbose_name="quarantined as spam"),
                ),
                migrations.AlterField(
                    "step",
                    "error_class",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("transient", "Temporary error"),
                            ("permanent", "Permanent error"),
                            ("configuration", "Configuration error"),
                            ("unknown", "Unknown error"),
                        ],
                        max_length=13,
                    ),
                ),
                migrations.AlterField(
                    "step",
                    "phase",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("data", "Message sent, answer awaited"),
                            ("keyed", "Message sent with an idempotency key, answer awaited"),
                        ],
                        default="",
                        max_length=5,
                    ),
                ),
                migrations.AlterField(
                    "step",
                    "state",
                    models.CharField(choices=STATES, max_length=10, verbose_name="state"),
                ),
                migrations.AlterField(
                    "stepevent", "to_state", models.CharField(choices=STATES, max_length=10)
                ),
            ]
        ),
    ]
