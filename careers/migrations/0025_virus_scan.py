"""What the virus scanner says about a file, and the permission to open a file without a scan."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0024_file_marks")]

    operations = [
        migrations.AddField(
            "applicationfile",
            "scan_signature",
            models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField("applicationfile", "scanned_at", models.DateTimeField(null=True)),
        migrations.AlterModelOptions(
            "applicationfile",
            options={
                "default_permissions": (),
                "ordering": ["pk"],
                "permissions": [("open_unscanned", "Can open files whose virus scan failed")],
            },
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "applicationfile",
                    "scan_verdict",
                    models.CharField(
                        choices=[
                            ("not_scanned", "Not scanned"),
                            ("waiting", "Not scanned yet"),
                            ("clean", "Clean"),
                            ("infected", "Infected"),
                            ("opened", "Opened without a scan"),
                        ],
                        default="not_scanned",
                        max_length=12,
                    ),
                )
            ]
        ),
    ]
