"""What Celery may know of the settings: its own part, under its own names.

Workers tell their configuration to whoever asks over the broker, and Flower shows it. Celery
masks the broker's password there, but only under the name that it knows itself.
"""

from django.conf import settings

PREFIX = "CELERY_"
TABLE = {
    name.removeprefix(PREFIX).lower(): getattr(settings, name)
    for name in dir(settings)
    if name.startswith(PREFIX)
}
