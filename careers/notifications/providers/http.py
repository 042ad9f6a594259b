"""HTTP with a known point of no return, on top of ``requests``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool

from careers.notifications.providers.answers import unconfirmed


def watched_session(about_to_send: Callable[[], None]) -> requests.Session:
    """A session for one request.

    Args:
        about_to_send: called when the connection is established and before the first byte of
            the request leaves. When it raises, nothing leaves.
    """
    session = requests.Session()
    session.headers["User-Agent"] = "careersite"
    # An applicant's name must not go where a third party's redirect points.
    session.max_redirects = 0
    for scheme in ("http://", "https://"):
        session.mount(scheme, WatchedAdapter(about_to_send))
    return session


class WatchedAdapter(HTTPAdapter):
    """Announces a request before it leaves, whether directly or through a proxy."""

    def __init__(self, about_to_send: Callable[[], None]) -> None:
        self.about_to_send = about_to_send
        self.announced = False
        super().__init__(max_retries=0)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        # Set here because the environment would override the session's own value.
        if settings.EMAIL_API_CA:
            kwargs["verify"] = settings.EMAIL_API_CA
        response = super().send(*args, **kwargs)
        if not self.announced:
            # The request left on a path that this class does not watch, and unannounced. No
            # answer is trusted then.
            raise unconfirmed()
        return response

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        # Every path leads through here: the direct one, and those through each kind of proxy.
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _watched(pool.ConnectionCls, self._announce)
        return pool

    def _announce(self) -> None:
        self.about_to_send()
        self.announced = True


def _watched(connection: Any, about_to_send: Callable[[], None]) -> Any:
    class Connection(connection):  # type: ignore[misc]
        def request(self, *args: Any, **kwargs: Any) -> None:
            # Connections with TLS, and those through a tunnel, are established by now.
            if self.sock is None:
                self.connect()
            about_to_send()
            super().request(*args, **kwargs)

    return Connection
