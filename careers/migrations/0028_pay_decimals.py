import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0026_roles")]

    operations = [
        migrations.AlterField(
            model_name="jobpage",
            name="pay_from",
            field=models.DecimalField(
                blank=True, decimal_places=3, max_digits=13, null=True, verbose_name="pay from"
            ),
        ),
        migrations.AlterField(
            model_name="jobpage",
            name="pay_to",
            field=models.DecimalField(
                blank=True, decimal_places=3, max_digits=13, null=True, verbose_name="pay to"
            ),
        ),
        migrations.AlterField(
            model_name="location",
            name="country",
            field=models.CharField(
                help_text="Type a few letters of its name, and choose it.",
                max_length=2,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z]{2}\\Z", "Enter the two capital letters of ISO 3166, as GB."
                    )
                ],
                verbose_name="country",
            ),
        ),
    ]
