"""What tests of signing in do: sign in by the form, and show a second factor."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, at: float | None = None) -> str:
    """The code of an authenticator app (RFC 6238), computed without allauth."""
    counter = int((time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    value = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{value % 1_000_000:06}"


def with_app(user: Any) -> Authenticator:
    """Give a person an authenticator app."""
    made: Authenticator = TOTP.activate(user, SECRET).instance
    return made


def with_recovery_codes(user: Any) -> list[str]:
    """Give a person recovery codes."""
    return list(RecoveryCodes.activate(user).generate_codes())


def send_password(client: Client, name: str, password: str, then: str = "", **sent: Any) -> Any:
    """Send the sign-in form."""
    data = {"login": name, "password": password}
    if then:
        data["next"] = then
    return client.post(reverse("account_login"), data, **sent)


def send_code(client: Client, value: str | None = None) -> Any:
    """Send the form for the second factor."""
    return client.post(reverse("mfa_authenticate"), {"code": code() if value is None else value})


def is_in(client: Client) -> bool:
    """Whether this browser reaches the admin."""
    return bool(client.get("/admin/").status_code == 200)
