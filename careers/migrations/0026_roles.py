"""Roles as groups, and what the new rules need of the groups that exist."""

from django.contrib.auth.management import create_permissions
from django.db import migrations, models

import home.recipients
from careers.backoffice import roles


def _make_permissions(apps):
    """Make all permissions now: Django makes them after the last migration only."""
    for config in apps.get_app_configs():
        config.models_module = True
        create_permissions(config, verbosity=0, apps=apps)
        config.models_module = None


def make_groups(apps, schema_editor):
    _make_permissions(apps)
    roles.keep_operators(apps)
    roles.make_roles(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("careers", "0025_virus_scan"),
        ("home", "0008_recipients"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailcore", "0098_apitoken"),
        ("wagtaildocs", "0014_alter_document_file_size"),
        ("wagtailimages", "0027_image_description"),
        ("wagtailredirects", "0008_add_verbose_name_plural"),
        ("wagtail_localize", "0006_create_submit_translation_permission"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="step",
            options={
                "default_permissions": ("view",),
                "ordering": ["pk"],
                "permissions": [
                    ("retry_step", "Can retry, resend and confirm steps"),
                    ("cancel_step", "Can cancel steps"),
                    ("operate_site", "Can handle the steps of the whole site, without names"),
                ],
                "verbose_name": "step",
                "verbose_name_plural": "steps",
            },
        ),
        migrations.AlterField(
            model_name="jobindexpage",
            name="hr_recipients",
            field=models.TextField(
                blank=True,
                help_text="Who is notified of each application: e-mail addresses, one per line. A job can name its own recipients instead. You may enter colleagues who may read the applications, and addresses at the company’s domains; others need the permission to change recipients.",
                validators=[home.recipients.validate_addresses],
                verbose_name="notification recipients",
            ),
        ),
        migrations.AlterField(
            model_name="jobpage",
            name="hr_recipients",
            field=models.TextField(
                blank=True,
                help_text="Who is notified of each application: e-mail addresses, one per line. If left empty, the recipients of the list of jobs or of the company. You may enter colleagues who may read the applications, and addresses at the company’s domains; others need the permission to change recipients.",
                validators=[home.recipients.validate_addresses],
                verbose_name="notification recipients",
            ),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
