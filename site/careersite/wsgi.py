"""The WSGI application, for gunicorn."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")
django.setup(set_prefix=False)

from careersite.page_cache import in_front_of_django  # noqa: E402 -- Django is set up

application = in_front_of_django()

from careers.pipeline.restored_database import recognise_at_start  # noqa: E402 -- Django is set up

recognise_at_start()
