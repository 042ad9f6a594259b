from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("home", "0011_closing_grace"),
    ]

    operations = [
        migrations.CreateModel(
            name='ContentVersion',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('version', models.CharField(max_length=32)),
            ],
        ),
    ]
