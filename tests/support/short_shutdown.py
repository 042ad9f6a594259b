"""The Celery app with a shorter shutdown: ``celery -A tests.support.short_shutdown worker``."""

from careersite.celery import app

#: Seconds that a stopping worker waits for its running tasks; 30 in production.
app.conf.worker_soft_shutdown_timeout = 2
