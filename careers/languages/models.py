"""Pending translation work. The row is the work; a message only starts it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class TranslationRequest(models.Model):
    """One request of an editor that concerns many pages; deleted when it is done."""

    class Kind(models.TextChoices):
        #: Make the pages below ``page`` ready for translation into ``locales``.
        SUBTREE = "subtree", "subtree"
        #: Mirror the pages of the first of ``locales`` in the second, as aliases.
        MIRROR = "mirror", "mirror"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    page = models.ForeignKey(
        "wagtailcore.Page", null=True, on_delete=models.CASCADE, related_name="+"
    )
    #: Ids of ``Locale``.
    locales = models.JSONField(default=list)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        # The name that the table got at first: old code reads it during an upgrade.
        db_table = "careers_translationerrand"
        default_permissions = ()
        ordering: ClassVar = ["pk"]
