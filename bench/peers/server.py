"""Gunicorn's configuration for peers: the site's own, without its hooks."""

import os

# The settings of the peer have what this reads: port, address, and no time to drain.
from careersite.gunicorn import *  # noqa: F403

bind = f"127.0.0.1:{os.environ['PORT']}"
# The site's own worker and hooks start what only the site has.
worker_class = "gthread"


def post_worker_init(worker: object) -> None:
    """Do nothing: a peer judges no files."""


def when_ready(server: object) -> None:
    """Do nothing: the first requests of a measurement import what is left, and count not."""
