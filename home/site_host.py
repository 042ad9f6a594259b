"""The host of a Wagtail site, as browsers send it."""

from __future__ import annotations

import contextlib
from typing import Any

from django.db.models.signals import pre_save
from django.dispatch import receiver
from wagtail.models import Site

from home.values import host


@receiver(pre_save, sender=Site)
def spell_as_browsers_do(instance: Site, **_more: Any) -> None:
    """Store ``straße.example`` as its A-label, which requests name; else no request finds it."""
    if not instance.hostname.isascii():
        with contextlib.suppress(ValueError):
            instance.hostname = host.to_ascii(instance.hostname)
