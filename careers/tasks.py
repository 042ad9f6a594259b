"""Every Celery task, and what workers do besides."""

from careers.forms.tasks import clean_up_uploads
from careers.jobs.tasks import publish_scheduled
from careers.languages.tasks import translate_pages
from careers.operations import heartbeat
from careers.operations.schedule import daily_digest, watch
from careers.pipeline import watchdog
from careers.pipeline.tasks import archive, mail_applicant, mail_hr, mail_operators, render_pdf

__all__ = [
    "archive",
    "clean_up_uploads",
    "daily_digest",
    "heartbeat",
    "mail_applicant",
    "mail_hr",
    "mail_operators",
    "publish_scheduled",
    "render_pdf",
    "translate_pages",
    "watch",
    "watchdog",
]
