"""The product's Celery app with less patience: ``celery -A tests.services.app worker``."""

from careersite.celery import app

#: Seconds for which a worker that was told to stop waits for what it runs; 30 in production.
app.conf.worker_soft_shutdown_timeout = 2
