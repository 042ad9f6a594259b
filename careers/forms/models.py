"""Uploaded files that do not belong to an application yet."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PendingUpload(models.Model):
    """A file from a form that was not accepted yet; it is deleted after ``expires_at``.

    ``content_type`` is "" while nobody has judged the file.
    """

    token = models.CharField(max_length=64, unique=True)
    job_key = models.UUIDField()
    question_key = models.CharField(max_length=64)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    #: As in ``ApplicationFile``.
    marks = models.CharField(max_length=120, blank=True, default="", db_default="")
    #: A keyed hash of the sender's network, for quotas. The address itself is never stored.
    network = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]

    @property
    def is_checked(self) -> bool:
        """Whether the file was judged."""
        return bool(self.content_type)
