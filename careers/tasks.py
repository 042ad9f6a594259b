"""Every Celery task, and what workers do besides."""

from careers.forms.tasks import clean_up_uploads
from careers.jobs.tasks import publish_scheduled
from careers.languages.tasks import translate_pages
from careers.pipeline import heartbeat
from careers.pipeline.tasks import archive, mail_applicant, mail_hr, render_pdf

__all__ = [
    "archive",
    "clean_up_uploads",
    "heartbeat",
    "mail_applicant",
    "mail_hr",
    "publish_scheduled",
    "render_pdf",
    "translate_pages",
]
