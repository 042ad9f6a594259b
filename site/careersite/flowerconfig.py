"""How Flower runs: ``celery -A careersite flower --conf=site/careersite/flowerconfig.py``.

Read-only: Flower must not stop workers or tasks here. It asks each request for the session of the
site, which counts only with both factors. A proxy in front of the site has asked already; it shows
the password that the site gives to it alone.
"""

import os

import django
from django.conf import settings
from flower.api import BaseApiHandler
from flower.app import Flower
from flower.views import BaseHandler

from careersite.settings.env import required

# The models, which ``let_in`` asks about a session.
django.setup()
from careersite.flower import let_in  # noqa: E402
from careersite.flower_heartbeat import serve  # noqa: E402

address = settings.FLOWER_BIND_ADDRESS
port = settings.FLOWER_PORT
url_prefix = "flower"
basic_auth = [f"{settings.FLOWER_USER}:{required('FLOWER_PASSWORD', '`bin/run` makes one.')}"]
read_only = True
persistent = True
db = os.fspath(settings.VAR_DIR / "flower")
state_save_interval = 60_000
max_tasks = 10_000

if Flower.start_http_server is not serve:
    Flower.open_port, Flower.start_http_server = Flower.start_http_server, serve

# Before each request, also those that Flower answers without a password.
for _base in (BaseHandler, BaseApiHandler):
    _base.prepare = let_in
