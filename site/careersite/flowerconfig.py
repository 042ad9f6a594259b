"""How Flower runs: ``celery -A careersite flower --conf=site/careersite/flowerconfig.py``.

Loopback only and behind a password: some of its pages answer without one, so people reach it
through the site, at ``/flower/``, after they have logged in there.
"""

import os

from django.conf import settings

from careersite.settings.env import required

address = "127.0.0.1"
port = settings.FLOWER_PORT
url_prefix = "flower"
basic_auth = [f"admin:{required('FLOWER_PASSWORD', '`bin/run` makes one.')}"]
persistent = True
db = os.fspath(settings.VAR_DIR / "flower")
state_save_interval = 60_000
max_tasks = 10_000
