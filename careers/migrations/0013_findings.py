"""The store of findings, filled with what the last scheduled runs found and how they failed."""

import datetime as dt
import re

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

RUNS = dt.timedelta(days=2)


def copy_findings(apps, schema_editor):
    """Keep findings of scheduled tasks, which would else count as resolved until the next run."""
    now = timezone.now()
    for run in apps.get_model("careers", "ScheduledRun").objects.all():
        rows = [
            (
                "archive-check",
                old.get("code", ""),
                "critical",
                {"count": int((re.findall(r"\d+", old.get("message", "")) or [1])[0])},
            )
            for old in run.findings or []
            if old.get("code") in ("archive-lost", "archive-altered")
        ]
        if run.error:
            at = run.ended_at or run.started_at
            facts = {"task": run.task, "at": at.isoformat(), "error": run.error}
            rows.append(
                (f"schedule:{run.task}", f"schedule-failed.{run.task}"[:120], "warning", facts)
            )
        for source, code, severity, facts in rows:
            apps.get_model("careers", "Finding").objects.get_or_create(
                source=source,
                code=code,
                defaults={
                    "severity": severity,
                    "facts": facts,
                    "since": now,
                    "expires_at": now + RUNS,
                },
            )


class Migration(migrations.Migration):
    dependencies = [
        ("careers", "0012_registered_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=160)),
                ("code", models.CharField(max_length=120)),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("warning", "Warning"), ("advice", "Advice")],
                        max_length=10,
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                ("since", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "ordering": ["since", "pk"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("source", "code"), name="careers_finding_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Dismissal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("code", models.CharField(max_length=120)),
                ("dismissed_at", models.DateTimeField()),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-dismissed_at", "-pk"], "default_permissions": ()},
        ),
        migrations.RunPython(copy_findings, migrations.RunPython.noop),
    ]
