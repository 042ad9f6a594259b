from django.db import migrations, models

import home.recipients


class Migration(migrations.Migration):
    dependencies = [("home", "0007_two_factors")]

    operations = [
        migrations.AlterModelOptions(
            name="sitesettings",
            options={
                "permissions": [
                    ("change_recipients", "Can have applications notified to any address")
                ],
                "verbose_name": "company",
                "verbose_name_plural": "company",
            },
        ),
        migrations.AddField(
            model_name="sitesettings",
            name="recipient_domains",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="The company’s own e-mail domains, such as example.com, one per line; subdomains count separately. Everybody who edits a job may have its applications notified to addresses at these domains. Other addresses need the permission to change recipients.",
                validators=[home.recipients.validate_domains],
                verbose_name="domains of recipients",
            ),
        ),
        migrations.AlterField(
            model_name="sitesettings",
            name="hr_recipients",
            field=models.TextField(
                blank=True,
                help_text="E-mail addresses, one per line. A job can have its own recipients instead. Without the permission to change recipients you may enter colleagues who may read the applications, and addresses at the domains below.",
                validators=[home.recipients.validate_addresses],
                verbose_name="recipients of applications",
            ),
        ),
        migrations.AlterField(
            model_name="sitesettings",
            name="operators",
            field=models.TextField(
                blank=True,
                help_text="E-mail addresses of the operators, one per line. If empty, administrators get the alerts. The same people get applications for jobs without recipients, so an address outside the domains above needs the permission to change recipients.",
                validators=[home.recipients.validate_addresses],
                verbose_name="recipients of alerts",
            ),
        ),
    ]
