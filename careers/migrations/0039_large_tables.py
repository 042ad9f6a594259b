"""Indexes for lists, searches and sweepers of large tables."""

from django.db import migrations, models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left
from django.db.models import F, Q

from careers.migrations._indexes import AddIndexBesideWriters

UNDER_WAY = ("waiting", "queued", "sent", "started", "retrying")
INDEXES = {
    "application": [
        models.Index(fields=["review_stage", "received_at"], name="careers_app_stage"),
        models.Index(fields=["language", "received_at"], name="careers_app_language"),
        models.Index(fields=["name"], name="careers_app_name"),
        models.Index(
            fields=["received_at"], condition=Q(quarantined=True), name="careers_app_quarantined"
        ),
        models.Index(fields=["received_at"], condition=Q(is_test=True), name="careers_app_test"),
    ],
    "applicationview": [
        models.Index(fields=["user_name", "at"], name="careers_access_log_name"),
        models.Index(Left("what", 3), F("at"), name="careers_access_log_act"),
    ],
    "step": [
        models.Index(
            fields=["state", "kind"],
            condition=Q(state__in=(*UNDER_WAY, "failed", "uncertain")),
            name="careers_step_open",
        ),
        models.Index(
            fields=["state_since"], condition=Q(state__in=UNDER_WAY), name="careers_step_since"
        ),
        models.Index(fields=["dispatched_at"], condition=Q(state="sent"), name="careers_step_sent"),
        models.Index(
            fields=["ended_at", "kind", "state"],
            condition=Q(state__in=("succeeded", "failed", "cancelled")),
            name="careers_step_ended",
        ),
        models.Index(
            fields=["state", "kind", "application"],
            condition=Q(application__isnull=False, state__in=("succeeded", "cancelled")),
            name="careers_step_finished",
        ),
        models.Index(
            fields=["application"],
            condition=Q(bounced_at__isnull=False),
            name="careers_step_bounced",
        ),
        models.Index(
            fields=["celery_task_id"],
            condition=Q(celery_task_id__gt=""),
            name="careers_step_task",
        ),
        models.Index(KeyTextTransform("message_id", "result"), name="careers_step_message"),
    ],
}


class Migration(migrations.Migration):
    dependencies = [("careers", "0038_finished_work")]
    atomic = False

    operations = [
        AddIndexBesideWriters(model, index)
        for model, indexes in INDEXES.items()
        for index in indexes
    ]
