"""How Flower runs: ``celery -A careersite flower --conf=site/careersite/flowerconfig.py``.

For looking only: stopping a worker or a task is nothing that Flower may do here. It has a
password, but two of its pages answer without one, so people reach it through the site, at
``/flower/``, after they have logged in there.
"""

import os

from django.conf import settings

from careersite.settings.env import required

address = settings.FLOWER_BIND_ADDRESS
port = settings.FLOWER_PORT
url_prefix = "flower"
basic_auth = [f"admin:{required('FLOWER_PASSWORD', '`bin/run` makes one.')}"]
read_only = True
persistent = True
db = os.fspath(settings.VAR_DIR / "flower")
state_save_interval = 60_000
max_tasks = 10_000
