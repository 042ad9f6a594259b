"""What the clock does about uploads."""

from typing import Any

from celery import shared_task

from careers.forms.uploads import clean_up


@shared_task(name="careers.clean_up_uploads")
def clean_up_uploads(**_: Any) -> None:
    """Delete files that were kept for a form nobody sent."""
    clean_up()
