from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('careers', '0032_openings'),
    ]

    operations = [
        migrations.AlterField(
            model_name='application',
            name='phone',
            field=models.CharField(blank=True, max_length=100, verbose_name='phone'),
        ),
        migrations.AlterField(
            model_name='applicationterms',
            name='version',
            field=models.PositiveSmallIntegerField(db_default=1),
        ),
        migrations.AlterField(
            model_name='contentterms',
            name='version',
            field=models.PositiveSmallIntegerField(db_default=1),
        ),
    ]
