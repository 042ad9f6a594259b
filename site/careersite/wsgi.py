"""The WSGI application, for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")
application = get_wsgi_application()

from careers.pipeline.restored_database import recognise_at_start  # noqa: E402 -- Django is set up

recognise_at_start()
