"""Gunicorn's configuration for peers: the site's own settings, without its worker and hooks."""

import os

# The module also sets how long a thread of Python runs.
from careersite.gunicorn import (  # noqa: F401 -- settings of gunicorn
    access_log_format,
    accesslog,
    control_socket_disable,
    errorlog,
    forwarded_allow_ips,
    graceful_timeout,
    limit_request_field_size,
    limit_request_fields,
    limit_request_line,
    logger_class,
    preload_app,
    threads,
    worker_tmp_dir,
    workers,
)

bind = f"127.0.0.1:{os.environ['PORT']}"
worker_class = "gthread"
