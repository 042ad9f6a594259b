"""What the clock does about jobs."""

from typing import Any

from celery import shared_task
from django.core.management import call_command


@shared_task(name="careers.publish_scheduled")
def publish_scheduled(**_: Any) -> None:
    """Publish what is due and take down what has expired, as Wagtail does it."""
    call_command("publish_scheduled")
