"""Hashes by which intake counts the applications of a network, and the mails to a mailbox."""

from django.db import migrations, models

from careers.migrations._indexes import AddColumnOnce, AddIndexBesideWriters


class Migration(migrations.Migration):
    dependencies = [("careers", "0018_requests_and_mailed_at")]
    atomic = False

    operations = [
        AddColumnOnce(
            "application",
            "network",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        AddColumnOnce(
            "application",
            "mailbox",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        AddIndexBesideWriters(
            "application",
            models.Index(fields=["network", "received_at"], name="careers_app_network"),
        ),
        AddIndexBesideWriters(
            "application",
            models.Index(fields=["job_key", "received_at"], name="careers_app_job_received"),
        ),
        AddIndexBesideWriters(
            "application",
            models.Index(fields=["mailbox"], name="careers_app_mailbox"),
        ),
    ]
