"""Fill ``Step.replaced_by`` from the key that the release before this one writes, and index it."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models, transaction

from careers.migrations._indexes import AddIndexBesideWriters

BATCH = 500


def fill(apps: Any, schema_editor: Any) -> None:
    """Change a few rows at a time, so that nobody waits. Running it again does no harm."""
    Step = apps.get_model("careers", "Step")
    last = 0
    while rows := list(
        Step.objects.filter(pk__gt=last, result__has_key="instead", replaced_by=None)
        .order_by("pk")
        .values_list("pk", "result")[:BATCH]
    ):
        with transaction.atomic():
            for pk, result in rows:
                if Step.objects.filter(pk=result["instead"]).exists():
                    Step.objects.filter(pk=pk).update(replaced_by=result["instead"])
        last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [("careers", "0016_replaced_by")]
    atomic = False

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        AddIndexBesideWriters(
            "step",
            models.Index(
                fields=["replaced_by"],
                condition=models.Q(replaced_by__isnull=False),
                name="careers_step_replaced_by",
            ),
        ),
    ]
