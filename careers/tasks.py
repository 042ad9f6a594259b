"""Every Celery task, and what else workers do."""

from careers.forms.tasks import clean_up_uploads
from careers.jobs.tasks import publish_scheduled
from careers.languages.tasks import translate_pages
from careers.operations import worker_heartbeat
from careers.operations.schedule import daily_digest, index_texts, watch
from careers.pipeline import watchdog, worker
from careers.pipeline.bulk import bulk_acts
from careers.pipeline.tasks import step_tasks

#: Celery imports this module when every app is ready.
STEP_TASKS = step_tasks()

__all__ = [
    "STEP_TASKS",
    "bulk_acts",
    "clean_up_uploads",
    "daily_digest",
    "index_texts",
    "publish_scheduled",
    "translate_pages",
    "watch",
    "watchdog",
    "worker",
    "worker_heartbeat",
]
