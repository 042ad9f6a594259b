"""Uploaded files that do not belong to an application yet."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PendingUpload(models.Model):
    """A valid file from a form with errors; it is deleted after ``expires_at``."""

    token = models.CharField(max_length=64, unique=True)
    job_key = models.UUIDField()
    question_key = models.CharField(max_length=64)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    #: A keyed hash of the sender's network, for quotas. The address itself is never stored.
    network = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]
