"""Fill the names of the access log, and make its indexes while others write."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import migrations, models

from careers.migrations._indexes import AddIndexBesideWriters, AddUniqueIndexBesideWriters

BATCH = 500


def keep_names(apps: Any, schema_editor: Any) -> None:
    """Write the names some rows at a time, so that nobody waits. Running it again does no harm."""
    View = apps.get_model("careers", "ApplicationView")
    User = apps.get_model(*settings.AUTH_USER_MODEL.split("."))
    unnamed = View.objects.filter(user_name="")
    last = 0
    while ids := list(
        unnamed.filter(pk__gt=last, user__isnull=False)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH]
    ):
        last = ids[-1]
        rows = unnamed.filter(pk__in=ids)
        readers = rows.order_by().values_list("user_id", flat=True).distinct()
        for user in User.objects.filter(pk__in=list(readers)):
            login = user.username
            shown = f"{user.first_name} {user.last_name}".strip() or login
            name = shown if shown == login else f"{shown} ({login})"
            rows.filter(user=user).update(user_name=name[:255])


class Migration(migrations.Migration):
    dependencies = [("careers", "0020_access_log")]
    atomic = False

    operations = [
        migrations.RunPython(keep_names, migrations.RunPython.noop, elidable=True),
        AddIndexBesideWriters(
            "applicationview", models.Index(fields=["at"], name="careers_access_log_at")
        ),
        AddUniqueIndexBesideWriters(
            "applicationview",
            models.UniqueConstraint(
                fields=["application", "user", "what", "hour"],
                condition=models.Q(hour__isnull=False),
                name="careers_read_once_an_hour",
            ),
        ),
    ]
