"""Who sent an application, which one it repeats, and when its receipt link was made."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("careers", "0021_access_log_rows")]

    operations = [
        migrations.AddField(
            "application",
            "repeats",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="repetitions",
                to="careers.application",
            ),
        ),
        migrations.AddField(
            "application", "mails_hr", models.BooleanField(db_default=True, default=True)
        ),
        # Links from before this release work for their whole lifetime from now on.
        migrations.AddField(
            "application",
            "receipt_issued_at",
            models.DateTimeField(db_default=Now(), default=django.utils.timezone.now),
        ),
        migrations.CreateModel(
            "IdempotencyKey",
            [
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField(db_index=True, null=True)),
                (
                    "application",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="idempotency_keys",
                        to="careers.application",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
    ]
