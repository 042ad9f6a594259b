"""Require two factors, except where the site is only for people at the same machine."""

from typing import Any

from django.db import migrations, models


def not_on_one_machine(apps: Any, schema_editor: Any) -> None:
    company = apps.get_model("home", "SiteSettings")
    here = ["localhost", "127.0.0.1"]
    company.objects.filter(site__hostname__in=here).update(two_factors=False)


class Migration(migrations.Migration):

    dependencies = [
        ("home", "0006_active_content"),
    ]

    operations = [
        migrations.AddField(
            model_name="sitesettings",
            name="two_factors",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Everybody who signs in needs a passkey or an authenticator app as well as their password. People who have none set one up at their next sign-in.",
                verbose_name="require two factors",
            ),
        ),
        migrations.RunPython(not_on_one_machine, migrations.RunPython.noop),
    ]
