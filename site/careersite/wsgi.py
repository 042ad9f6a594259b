"""The WSGI application, for gunicorn."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")
django.setup(set_prefix=False)

from careersite.bodies import Handler  # noqa: E402 -- Django is set up

application = Handler()

from careers.pipeline.restored_database import recognise_at_start  # noqa: E402 -- Django is set up

recognise_at_start()
