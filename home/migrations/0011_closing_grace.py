import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("home", "0008_recipients")]

    operations = [
        migrations.AddField(
            model_name="sitesettings",
            name="closing_grace",
            field=models.PositiveSmallIntegerField(
                db_default=60,
                default=60,
                help_text="Minutes after a job closes in which the site still accepts applications from people who had the form open. 0 for none.",
                validators=[django.core.validators.MaxValueValidator(1440)],
                verbose_name="extra time to send an application",
            ),
        ),
    ]
