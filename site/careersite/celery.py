"""The Celery app."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")

app = Celery("careersite")
app.config_from_object("careersite.celeryconfig:TABLE")
app.autodiscover_tasks(["careers", "careersite.signin"])
