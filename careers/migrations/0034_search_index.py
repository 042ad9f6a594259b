"""The index for the search in applications, where PostgreSQL has the extension pg_trgm."""

from django.db import migrations

from careers.search import trigrams


def make(apps, schema_editor):
    trigrams.make_index(schema_editor.connection)


def drop(apps, schema_editor):
    trigrams.drop_index(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("careers", "0033_search")]
    atomic = False

    operations = [migrations.RunPython(make, drop)]
