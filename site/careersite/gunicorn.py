"""How gunicorn serves the site: ``gunicorn -c python:careersite.gunicorn careersite.wsgi``.

Access logs hold no personal data: no address, no query string, no referrer, no browser, and of
the addresses that only one applicant knows no more than that one was opened.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response

from careersite.logs import masked


class QuietLogger(Logger):
    """Masks secrets in paths."""

    def atoms(
        self, resp: Response, req: Request, environ: dict[str, Any], request_time: timedelta
    ) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        atoms["U"] = masked(atoms["U"] or "")
        return atoms


def when_ready(server: Arbiter) -> None:
    """Import every view once, before the workers fork: the first visitor doesn't wait for it."""
    from django.db import connections
    from django.urls import get_resolver

    if preload_app:
        get_resolver().url_patterns  # noqa: B018 -- reading it is what imports
        # A connection that two processes inherit is broken for both.
        connections.close_all()


bind = (
    f"[{settings.BIND_ADDRESS}]:{settings.PORT}"
    if ":" in settings.BIND_ADDRESS
    else f"{settings.BIND_ADDRESS}:{settings.PORT}"
)
# The site itself decides which proxies it believes.
forwarded_allow_ips = ""
worker_class = "gthread"
workers = 2
threads = 4
graceful_timeout = 20
# Heartbeats are file writes; on a slow disk they would stop a healthy worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
reload = settings.DEBUG
preload_app = not reload
control_socket_disable = True
accesslog = errorlog = "-"
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
logger_class = QuietLogger
