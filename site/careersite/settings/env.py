"""Where settings come from.

A value is looked up in the process environment, then in ``.env``, then in ``var/env``
(written by ``bin/run``: generated secrets and the addresses of embedded services).
``NAME_FILE`` names a file that holds the value of ``NAME``, the way container platforms
mount secrets.
"""

import difflib
import ipaddress
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from environs import Env, EnvError

ROOT = Path(__file__).resolve().parents[3]

#: Every variable that this product reads.
NAMES = frozenset(
    """
    ADMIN_PASSWORD ALLOWED_HOSTS AWS_ACCESS_KEY_ID AWS_S3_ENDPOINT_URL AWS_S3_REGION_NAME
    AWS_SECRET_ACCESS_KEY AWS_STORAGE_BUCKET_NAME BIND_ADDRESS DATABASE_URL DEBUG
    DEFAULT_FROM_EMAIL DEMO_PASSWORD DRAIN_SECONDS EMAIL_API_KEY EMAIL_API_URL EMAIL_HOST
    EMAIL_HOST_PASSWORD EMAIL_HOST_USER EMAIL_PORT EMAIL_PROVIDER EMAIL_TIMEOUT EMAIL_USE_SSL
    EMAIL_USE_TLS EMAIL_WEBHOOK_SECRET FLOWER_BIND_ADDRESS FLOWER_PASSWORD FLOWER_PORT FLOWER_URL
    METRICS_TOKEN PDF_MEMORY_LIMIT PIPELINE_BACKOFF_BASE PIPELINE_BROKER_GRACE PIPELINE_HARD_LIMIT
    PIPELINE_LEASE PIPELINE_PROBE_INTERVAL PIPELINE_REDISPATCH_AFTER PIPELINE_SOFT_LIMIT
    PIPELINE_SWEEP_INTERVAL PORT REDIS_URL SECRET_KEY SITE_URL SSL_CERT_FILE TRUSTED_PROXIES VAR_DIR
    """.split()
)

#: What the same ``.env`` may hold for ``docker-compose.yml`` alone.
COMPOSE_NAMES = frozenset(
    """
    COMPOSE_PROFILES EDGE_SUBNET FONTS HTTPS_PORT HTTP_PORT IMAGE POSTGRES_PASSWORD
    REDIS_PASSWORD TLS
    """.split()
)

#: The services that one can name, each with the variables that do it. They belong together:
#: who names one's own mail server doesn't mean it on the embedded one's port.
SERVICES = {
    "database": ("DATABASE_URL",),
    "broker": ("REDIS_URL",),
    "archive": (
        "AWS_STORAGE_BUCKET_NAME",
        "AWS_S3_ENDPOINT_URL",
        "AWS_S3_REGION_NAME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ),
    "mail": (
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_HOST_USER",
        "EMAIL_HOST_PASSWORD",
        "EMAIL_USE_TLS",
        "EMAIL_USE_SSL",
        "EMAIL_PROVIDER",
        "EMAIL_API_KEY",
        "EMAIL_API_URL",
    ),
}

#: What means nothing without something else: the variable, the other one, and what to do.
PAIRS = (
    ("EMAIL_HOST_USER", "EMAIL_HOST", "Name the mail server in it, for instance smtp.example.com."),
    ("EMAIL_HOST_PASSWORD", "EMAIL_HOST_USER", "Give the user of the mail server in it."),
    ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "Give the user's password in it."),
    ("EMAIL_PROVIDER", "EMAIL_API_KEY", "Give the provider's API key in it."),
    ("EMAIL_API_KEY", "EMAIL_PROVIDER", "Name the mail provider in it, for instance resend."),
    ("EMAIL_API_URL", "EMAIL_PROVIDER", "Name the mail provider in it, for instance resend."),
    ("EMAIL_WEBHOOK_SECRET", "EMAIL_PROVIDER", "Name the mail provider in it."),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "Give the secret of the key in it."),
    ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "Give the key of the secret in it."),
    ("AWS_ACCESS_KEY_ID", "AWS_STORAGE_BUCKET_NAME", "Name the private bucket in it."),
    ("AWS_S3_ENDPOINT_URL", "AWS_STORAGE_BUCKET_NAME", "Name the private bucket in it."),
)
#: How our variables begin; other programs read variables that begin like the last one.
PREFIXES = ("EMAIL_", "FLOWER_", "PIPELINE_", "AWS_")


def load(*files: Path, generated: Path | None = None) -> None:
    """Put what ``files`` say into the process environment, where it does not speak itself.

    Earlier files win over later ones; ``NAME_FILE`` is read at the level that gives it, so a
    secret mounted by the platform wins over a value in ``.env``. ``generated`` comes last, and
    says nothing about a service that was named before.

    Raises:
        ImproperlyConfigured: a ``NAME_FILE`` names a file that can't be read.
    """
    layers: list[Mapping[str, str | None]] = [dict(os.environ)]
    layers += [dotenv_values(path) for path in files]
    for layer in layers:
        for name in NAMES:
            value, path = layer.get(name), layer.get(f"{name}_FILE")
            if not value and path:
                try:
                    value = Path(path).read_text(encoding="utf-8").strip()
                except OSError as error:
                    raise ImproperlyConfigured(
                        f"{name}_FILE names {path}, which can't be read: {error.strerror}."
                    ) from None
            if value and not os.environ.get(name):
                os.environ[name] = value
    if generated:
        elsewhere = {name for service in named() for name in SERVICES[service]}
        for name, value in dotenv_values(generated).items():
            if value and name in NAMES - elsewhere and not os.environ.get(name):
                os.environ[name] = value


def misspelt(*files: Path) -> list[str]:
    """A sentence for each variable that is meant for us, it seems, and that nobody reads.

    In ``files`` those count that resemble one of ours or begin like ours; in the environment,
    which is full of other programs' variables, only those that do both.
    """
    known = NAMES | COMPOSE_NAMES | {f"{name}_FILE" for name in NAMES}
    found = []
    for where, names in [(str(path), dotenv_values(path)) for path in files] + [("", os.environ)]:
        for name in sorted(set(names) - known):
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.78)
            ours = name.startswith(PREFIXES if where else PREFIXES[:-1])
            if (near or ours) if where else (near and ours):
                hint = f" Did you mean {near[0]}?" if near else ""
                source = f" in {where}" if where else ""
                found.append(f"{name}{source} is no variable of this site: it is not read.{hint}")
    return found


def check_pairs() -> None:
    """Refuse a variable that means nothing without another one that is missing."""
    for name, other, action in PAIRS:
        if given(name) and not given(other):
            raise ImproperlyConfigured(f"{name} is set but {other} is not. {action}")


def named() -> set[str]:
    """The services of ``SERVICES`` of which the environment gives at least one variable."""
    return {service for service, names in SERVICES.items() if any(map(given, names))}


def given(name: str) -> str:
    """The value of ``name``, or "" when it is missing or empty."""
    return os.environ.get(name, "")


def flag(name: str, default: bool = False) -> bool:
    """A yes/no setting; raises ImproperlyConfigured for anything that is neither."""
    return bool(_read("bool", name, default))


def number(name: str, default: float, *, least: float = 0) -> float:
    """A number no smaller than ``least``; raises ImproperlyConfigured otherwise."""
    value = float(_read("float", name, default))
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least:g}, not {value:g}.")
    return value


def port(name: str, default: int) -> int:
    """A TCP port; raises ImproperlyConfigured when it is none."""
    value = int(_read("int", name, default))
    if not 0 < value < 65536:
        raise ImproperlyConfigured(f"{name} must be a port from 1 to 65535, not {value}.")
    return value


def words(name: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in given(name).split(",") if word.strip()]


def address(name: str, default: str) -> str:
    """An IP address to listen on; raises ImproperlyConfigured when it is none."""
    value = given(name) or default
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be an IP address such as 127.0.0.1 or 0.0.0.0, not {value}."
        ) from None


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """IP addresses and networks, separated by commas or blanks.

    Raises:
        ImproperlyConfigured: one of them is none; names have no place here.
    """
    found = []
    for word in given(name).replace(",", " ").split():
        try:
            found.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must hold IP addresses or networks such as 10.0.0.0/8, not {word}."
            ) from None
    return found


def url(name: str, default: str, *schemes: str) -> str:
    """An address that starts with one of ``schemes``; raises ImproperlyConfigured otherwise."""
    value = given(name) or default
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} can't be read as an address. In a password write / as %2F, # as %23, "
            "? as %3F, @ as %40, : as %3A and % as %25."
        ) from None
    if parts.scheme not in schemes:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} must start with {expected}.")
    # A database may be a file, or behind a socket of this machine.
    on_this_machine = parts.scheme in ("sqlite", "redis+socket") or (
        parts.scheme.startswith("postgres") and not parts.username
    )
    if not host and not on_this_machine:
        raise ImproperlyConfigured(
            f"{name} names no host. Write it as {parts.scheme}://… with the host's name."
        )
    return value


def one_of(name: str, *choices: str) -> str:
    """One of ``choices`` in any case, or ""; raises ImproperlyConfigured for anything else."""
    value = given(name).strip().lower()
    if value and value not in choices:
        raise ImproperlyConfigured(
            f"{name} must be one of {', '.join(choices)}, or empty, not {value}."
        )
    return value


def required(name: str, hint: str) -> str:
    """A value without which the site can't work; raises ImproperlyConfigured with ``hint``."""
    value = given(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def readable(name: str) -> None:
    """Refuse a variable that names a file which can't be read; raises ImproperlyConfigured."""
    if given(name) and not os.access(given(name), os.R_OK):
        raise ImproperlyConfigured(f"{name} names {given(name)}, which can't be read.")


def _read(kind: str, name: str, default: Any) -> Any:
    if not given(name):
        return default
    try:
        return getattr(Env(), kind)(name)
    except EnvError as error:
        raise ImproperlyConfigured(f"{error} Correct {name} and start again.") from None
