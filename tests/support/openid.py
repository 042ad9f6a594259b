"""A small OpenID provider on the loopback interface (OpenID Connect Core 1.0, RFC 7636).

It checks what a client must send, and refuses the rest. A test sets the person's claims, and may
make the provider lie.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "careers", "a secret of the client"


class OpenIDProvider:
    """The provider and what it knows.

    Attributes:
        claims: of the person who is signed in at the provider.
        lies: replaces claims of the ID token, after they were made right.
        userinfo: replaces claims in the answer about the person.
        signs: the key that signs; the published one unless a test replaces it.
        algorithm: how it signs.
        moved: whether its description is at another address.
        problems: what a client did wrong.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signs: Any = self.key
        self.algorithm = "RS256"
        self.moved = False
        self.claims: dict[str, Any] = {"sub": "248289", "email": "grace@example.com"}
        self.lies: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.problems: list[str] = []
        self.is_down = False
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"

    def expect(self, condition: object, problem: str) -> bool:
        """Note a problem unless the condition is true."""
        if not condition:
            self.problems.append(problem)
        return bool(condition)

    def authorize(self, query: dict[str, str]) -> str:
        """Sign the person in; returns the address to which the browser is sent back."""
        for name in ("state", "nonce", "code_challenge"):
            self.expect(len(query.get(name, "")) >= 16, f"no {name}")
        self.expect(query.get("code_challenge_method") == "S256", "no PKCE with S256")
        self.expect(query.get("response_type") == "code", "another flow")
        self.expect(query.get("client_id") == CLIENT, "another client")
        self.expect("openid" in query.get("scope", ""), "no openid in the scope")
        code = secrets.token_urlsafe()
        self._codes[code] = query
        back = {"code": code, "state": query.get("state", "")}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code, once, for the tokens."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        given = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if not (
            self.expect(asked, "a code that is unknown or used")
            and self.expect(asked["code_challenge"] == given, "another verifier")
            and self.expect(asked["redirect_uri"] == form.get("redirect_uri"), "another address")
            and self.expect(form.get("client_secret") == SECRET, "a wrong secret")
        ):
            return {"error": "invalid_grant"}
        now = int(time.time())
        made = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60}
        made |= {"nonce": asked["nonce"]} | self.claims | self.lies
        access = secrets.token_urlsafe()
        self._tokens.add(access)
        id_token = jwt.encode(made, self.signs, self.algorithm, headers={"kid": "one"})
        return {"access_token": access, "token_type": "Bearer", "id_token": id_token}

    def about(self, header: str) -> dict[str, Any] | None:
        """The claims of the person for an access token."""
        known = header.removeprefix("Bearer ") in self._tokens
        return self.claims | self.userinfo if known else None

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        """The published key."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [key | {"kid": "one", "use": "sig", "alg": "RS256"}]}


def _handler(provider: OpenIDProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if provider.is_down:
                self._answer(503, {})
            elif parts.path == "/.well-known/openid-configuration" and provider.moved:
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
            elif parts.path == "/elsewhere":
                self._answer(200, provider.discovery())
            elif parts.path == "/authorize":
                self.send_response(302)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif parts.path == "/.well-known/openid-configuration":
                self._answer(200, provider.discovery())
            elif parts.path == "/keys":
                self._answer(200, provider.keys())
            elif parts.path == "/userinfo":
                found = provider.about(self.headers.get("Authorization", ""))
                self._answer(200 if found else 401, found or {})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = provider.token(dict(parse_qsl(body)))
            self._answer(400 if "error" in answer else 200, answer)

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its name
            pass

    return Handler


@contextmanager
def openid_provider() -> Iterator[OpenIDProvider]:
    """Run a provider."""
    provider = OpenIDProvider()
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.server.shutdown()
        provider.server.server_close()
        thread.join()
