"""How gunicorn serves the site: ``gunicorn -c python:careersite.gunicorn careersite.wsgi``.

Access logs hold no personal data: no address, no query string, no referrer, no browser, and of
the addresses that only one applicant knows no more than that one was opened.
"""

import math
import select
import time
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.workers.gthread import ThreadWorker

from careersite.logs import masked


class QuietLogger(Logger):
    """Masks secrets in paths."""

    def atoms(
        self, resp: Response, req: Request, environ: dict[str, Any], request_time: timedelta
    ) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        atoms["U"] = masked(atoms["U"] or "")
        return atoms


class DrainingWorker(ThreadWorker):
    """Leaves without losing a request.

    Told to stop it is "not ready" at once, and for DRAIN_SECONDS serves on: whoever asks
    ``/health/ready`` sends nothing more by then. Then it takes in who already stands at the door,
    and shuts it: the next one is refused at once, not heard of never, and a proxy may ask
    elsewhere. What is under way has ``graceful_timeout`` to end.
    """

    leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Loaded with the site, which may be after this module.
        from careersite import health

        health.stopping.set()
        if self.leaves_at is None:
            self.leaves_at = time.monotonic() + settings.DRAIN_SECONDS
        if not settings.DRAIN_SECONDS:
            super().handle_exit(sig, frame)

    def notify(self) -> None:
        super().notify()
        # The loop comes by once a second at least.
        if self.leaves_at is not None and time.monotonic() >= self.leaves_at:
            self.alive = False

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            # Other workers take from the same queue; accept() bears an empty one.
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


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
worker_class = DrainingWorker
workers = 2
threads = 4
# From the signal on. A supervisor must wait longer (`stop_grace_period` in docker-compose.yml).
graceful_timeout = math.ceil(settings.DRAIN_SECONDS) + 20
# Heartbeats are file writes; on a slow disk they would stop a healthy worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
reload = settings.DEBUG
preload_app = not reload
control_socket_disable = True
accesslog = errorlog = "-"
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
logger_class = QuietLogger
