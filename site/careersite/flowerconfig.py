"""How Flower runs: ``celery -A careersite flower --conf=site/careersite/flowerconfig.py``.

Read-only: Flower must not stop workers or tasks here. It has a password, but two of its pages
answer without one, so people reach it through the site, at ``/flower/``, after they logged in.
"""

import os

from django.conf import settings

from careersite.settings.env import required

address = settings.FLOWER_BIND_ADDRESS
port = settings.FLOWER_PORT
url_prefix = "flower"
basic_auth = [f"{settings.FLOWER_USER}:{required('FLOWER_PASSWORD', '`bin/run` makes one.')}"]
read_only = True
persistent = True
db = os.fspath(settings.VAR_DIR / "flower")
state_save_interval = 60_000
max_tasks = 10_000
