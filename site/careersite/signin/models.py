"""The table of the cache that all processes share; see ``memory``."""

from __future__ import annotations

from django.db import models


class Memory(models.Model):
    """One entry of Django's database cache, which needs exactly these columns."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "signin_memory"
