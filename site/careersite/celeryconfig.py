"""Celery's part of the settings, under Celery's own names, and nothing else.

Workers send their configuration to any client that asks over the broker, and Flower shows it.
Celery masks the broker's password there, but only under its own name.
"""

from django.conf import settings

PREFIX = "CELERY_"
TABLE = {
    name.removeprefix(PREFIX).lower(): getattr(settings, name)
    for name in dir(settings)
    if name.startswith(PREFIX)
}
