"""Pauses, and the permission to pause for those who already steer the steps of the whole site."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

from careers.backoffice import roles


def let_operators_pause(apps, schema_editor):
    # Django makes permissions after the last migration only.
    config = apps.get_app_config("careers")
    config.models_module = True
    create_permissions(config, verbosity=0, apps=apps)
    config.models_module = None
    roles.let_operators_pause(apps)


class Migration(migrations.Migration):
    dependencies = [("careers", "0039_large_tables")]

    operations = [
        migrations.AlterModelOptions(
            name="step",
            options={
                "default_permissions": ("view",),
                "ordering": ["pk"],
                "permissions": [
                    ("retry_step", "Can retry, resend and confirm steps"),
                    ("cancel_step", "Can cancel steps"),
                    ("pause_step", "Can pause and resume steps"),
                    ("operate_site", "Can handle the steps of the whole site, without names"),
                ],
                "verbose_name": "step",
                "verbose_name_plural": "steps",
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(max_length=40)),
                ("reason", models.TextField()),
                ("actor", models.CharField(max_length=64)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("resumed_at", models.DateTimeField(null=True)),
                ("resumed_by", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ["-since", "-pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resumed_at", None)),
                        fields=("scope",),
                        name="careers_pause_once",
                    )
                ],
            },
        ),
        migrations.RunPython(let_operators_pause, migrations.RunPython.noop),
    ]
