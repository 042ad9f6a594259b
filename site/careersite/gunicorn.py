"""Gunicorn's configuration: ``gunicorn -c python:careersite.gunicorn careersite.wsgi``.

Access logs hold no personal data: no IP address, no query string, no referrer, no browser. Secrets
in paths, such as those of receipts, are masked.
"""

import contextlib
import ctypes
import datetime as dt
import gc
import logging
import math
import select
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from careersite.logs import MaskingFormatter


class QuietLogger(Logger):
    """Masks secrets in paths, in the access log and in the log of errors."""

    def atoms(
        self, resp: Any, req: Any, environ: dict[str, Any], request_time: dt.timedelta
    ) -> dict[str, Any]:
        """What ``access_log_format`` names. Gunicorn's own collects every header of each request,
        which takes longer than to find a kept page."""
        if self.cfg.access_log_format != access_log_format:
            atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
            return atoms
        return {
            "t": self.now(),
            "m": environ.get("REQUEST_METHOD"),
            "U": environ.get("PATH_INFO"),
            "s": str(resp.status).partition(" ")[0],
            "B": getattr(resp, "sent", None),
            "M": request_time // dt.timedelta(milliseconds=1),
        }

    def _set_handler(
        self, log: logging.Logger, output: str, fmt: logging.Formatter, stream: Any = None
    ) -> None:
        super()._set_handler(log, output, MaskingFormatter(fmt._fmt, fmt.datefmt), stream)


class DrainingWorker(ThreadWorker):
    """Stops without failing a request.

    It is for the applicant who presses Send while the operator deploys: gunicorn's own worker
    resets the connections that wait in the listener's queue when it stops.

    After the stop signal the worker is "not ready" at once and still serves for ``DRAIN_SECONDS``.
    Meanwhile a load balancer that asks ``/health/ready`` stops sending. Then the worker accepts
    queued connections and closes the listener, so that a later connection is refused at once and
    the proxy can try another server. Running requests have ``graceful_timeout`` to end.
    """

    leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # The site may be loaded after this module.
        from careersite import health

        health.stopping.set()
        if self.leaves_at is None:
            self.leaves_at = time.monotonic() + settings.DRAIN_SECONDS
        if not settings.DRAIN_SECONDS:
            super().handle_exit(sig, frame)

    def notify(self) -> None:
        super().notify()
        # The worker's loop calls this at least once a second.
        if self.leaves_at is not None and time.monotonic() >= self.leaves_at:
            self.alive = False

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            # Other workers take from the same queue; accept() copes with an empty one.
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


def when_ready(server: Arbiter) -> None:
    """Import every view once, before the workers fork, so that no visitor waits for it."""
    from django.db import connections
    from django.urls import get_resolver

    if preload_app:
        get_resolver().url_patterns  # noqa: B018 -- reading it is what imports
        # A connection that two processes share is broken for both.
        connections.close_all()
        # The garbage collector writes into each object that it visits, and the workers would get a
        # copy of that memory. It leaves frozen objects alone.
        gc.collect()
        gc.freeze()


#: malloc gives blocks from this size in bytes back to the system as soon as they are free.
LARGE_BLOCK = 1024 * 1024
M_MMAP_THRESHOLD = -3


def post_worker_init(worker: ThreadWorker) -> None:
    """Return the memory of uploads at once, and start the process that judges files.

    Without a fixed threshold glibc raises it to the size of an upload after the first one, and
    keeps free blocks of that size for each thread (mallopt(3)). The process that judges files
    starts now so that the first applicant does not wait for it.
    """
    from careers import inspection

    # Other C libraries have no mallopt.
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
    threading.Thread(target=inspection.warm_up, daemon=True).start()


bind = (
    f"[{settings.BIND_ADDRESS}]:{settings.PORT}"
    if ":" in settings.BIND_ADDRESS
    else f"{settings.BIND_ADDRESS}:{settings.PORT}"
)
# The site itself decides which proxies it believes.
forwarded_allow_ips = ""
worker_class = DrainingWorker
workers = 2
# At most 13 of them run or wait with a form (`FORMS` in `careers.apply.views`); three are left for
# pages. Each may keep a connection to PostgreSQL.
threads = 16
# Bytes of the first line and of one header, and the number of headers; browsers send far less.
limit_request_line = 4094
limit_request_field_size = 8190
limit_request_fields = 100
# Seconds after which a thread of Python lets another one run. A page reads from the database a few
# dozen times, and after each read it may wait this long for a thread that handles a form. The
# workers inherit the value. Python's default is 0.005.
sys.setswitchinterval(0.0005)
# Seconds from the signal to the end of the worker, at most. A supervisor must wait longer
# (`stop_grace_period` in docker-compose.yml).
graceful_timeout = math.ceil(settings.DRAIN_SECONDS) + 20
# Heartbeats are file writes; on a slow disk they would stop a healthy worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
reload = settings.DEBUG
preload_app = not reload
control_socket_disable = True
accesslog = errorlog = "-"
access_log_format = '%(t)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
logger_class = QuietLogger
