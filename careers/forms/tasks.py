"""Scheduled tasks for uploads."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from careers.applications.models import IdempotencyKey
from careers.applications.networks import forget_networks
from careers.forms.uploads import clean_up


@shared_task(name="careers.clean_up_uploads")
def clean_up_uploads(**_: Any) -> None:
    """Delete kept files whose form was never sent, and the hashes of visitors' networks."""
    clean_up()
    forget_networks(timezone.now())
    IdempotencyKey.delete_expired()
