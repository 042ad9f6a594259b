"""A site behind Caddy, as visitors reach it."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from tests.support.processes import Process
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient
from tests.support.stack import PLAIN_JOB, ROOT, Stack, a_cv, multipart, shared_template


class Deployment(Stack):
    """A site with Caddy in front of it, for which ``SITE_URL`` is a public address."""

    def __init__(self, directory: Path) -> None:
        self.http_port, self.https_port = reserve_port(), reserve_port()
        self.address = f"https://localhost:{self.https_port}"
        environ = {"SITE_URL": self.address, "TRUSTED_PROXIES": HOST, "METRICS_TOKEN": "scraper"}
        super().__init__(shared_template(), directory, environ=environ)

    def start_proxy(self, *more: int) -> None:
        """Start Caddy in front of the web process, and of others on these ports."""
        caddy = Path(sys.executable).parent / "caddy"
        self.parts["proxy"] = Process(
            "proxy",
            [str(caddy), "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
            environ={
                "SITE_URL": self.address,
                "TLS": "internal",
                "HTTP_PORT": str(self.http_port),
                "HTTPS_PORT": str(self.https_port),
                "BIND_ADDRESS": "127.0.0.1",
                "WEB": " ".join(f"{HOST}:{port}" for port in (self.port, *more)),
                "FLOWER": f"{HOST}:{self.flower_port}",
                "XDG_DATA_HOME": str(self.var / "caddy"),
            },
            log=self.var / "log" / "proxy.log",
            cwd=ROOT,
        )
        self["proxy"].start()
        self["proxy"].until(self.certificate.exists, 20, "Caddy made no certificate")
        self["proxy"].until(self._answers, 20, "Caddy does not answer")

    def _answers(self) -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return self.visitor().get(f"{self.address}/health/live").status_code == 200
        return False

    @property
    def certificate(self) -> Path:
        return self.var / "caddy/caddy/pki/authorities/local/root.crt"

    def visitor(self) -> requests.Session:
        """A browser that trusts Caddy's own authority."""
        session = super().visitor()
        session.verify = str(self.certificate)
        return session

    def post_form(
        self, fields: Mapping[str, str], *, sender: str = HOST, **headers: str
    ) -> tuple[int, str]:
        """Send the form over TLS from an address of this machine; status and location."""
        body, content_type = multipart(fields, {"cv": ("CV.pdf", a_cv("anybody"))})
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(
            "localhost",
            self.https_port,
            timeout=patient(30),
            source_address=(sender, 0),
            context=context,
        )
        sent = {"Content-Type": content_type, "Origin": self.address}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request("POST", self.form_address(PLAIN_JOB), body, sent)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("Location") or ""
