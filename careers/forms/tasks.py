"""Scheduled tasks for uploads."""

from typing import Any

from celery import shared_task

from careers.forms.uploads import clean_up


@shared_task(name="careers.clean_up_uploads")
def clean_up_uploads(**_: Any) -> None:
    """Delete kept files whose form was never sent."""
    clean_up()
