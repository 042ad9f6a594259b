from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("careers", "0034_search_index")]

    operations = [
        migrations.AddField(
            model_name="jobpage",
            name="opened_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="open since"),
        ),
        migrations.AddField(
            model_name="jobpage",
            name="closed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="form removed"),
        ),
    ]
