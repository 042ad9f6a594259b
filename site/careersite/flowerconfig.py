"""How Flower runs: ``celery -A careersite flower --conf=site/careersite/flowerconfig.py``.

Read-only: Flower must not stop workers or tasks here. People reach it through the site, at
``/flower/``, after they logged in. Flower itself has a password, which every page asks for.
"""

import os

from django.conf import settings
from flower.api import BaseApiHandler
from flower.views import BaseHandler

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


def ask_for_password(handler: BaseHandler) -> None:
    """Before each request (Tornado's ``prepare``): answer 401 without the password.

    Of Flower's own pages, ``metrics`` and ``healthcheck`` answer everybody. Only the static files
    of Flower's package remain open.
    """
    handler.get_current_user()


for _base in (BaseHandler, BaseApiHandler):
    _base.prepare = ask_for_password
