"""Scheduled tasks for jobs."""

from typing import Any

from celery import shared_task
from django.core.management import call_command


@shared_task(name="careers.publish_scheduled")
def publish_scheduled(**_: Any) -> None:
    """Publish pages that are due and unpublish those that expired, with Wagtail's command."""
    call_command("publish_scheduled")
