"""Steps are registered, and states have plain words: only choices change, which are Django's own."""

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
PHASES = [
    ("", ""),
    ("data", "Message passed on, answer pending"),
    ("keyed", "Message passed on under a key, answer pending"),
]
ERROR_CLASSES = [
    ("transient", "Temporary error"),
    ("permanent", "Permanent error"),
    ("configuration", "Configuration error"),
    ("unknown", "Unexpected error"),
]


class Migration(migrations.Migration):
    dependencies = [("careers", "0011_plain_names")]
    operations = [
        migrations.AlterField("step", "kind", models.CharField("step", max_length=20)),
        migrations.AlterField(
            "step", "state", models.CharField("state", max_length=10, choices=STATES)
        ),
        migrations.AlterField(
            "step",
            "phase",
            models.CharField(max_length=5, choices=PHASES, blank=True, default=""),
        ),
        migrations.AlterField(
            "step",
            "error_class",
            models.CharField(max_length=13, choices=ERROR_CLASSES, blank=True),
        ),
        migrations.AlterField(
            "stepevent", "to_state", models.CharField(max_length=10, choices=STATES)
        ),
    ]
