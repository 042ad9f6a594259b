"""Files that were chosen before there is an application to keep them with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PendingUpload(models.Model):
    """A file that survived a form with errors; deleted after ``expires_at``."""

    token = models.CharField(max_length=64, unique=True)
    job_key = models.UUIDField()
    question_key = models.CharField(max_length=64)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    #: A keyed hash of the network that sent it, for quotas; never the address itself.
    network = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]
