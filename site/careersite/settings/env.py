"""Where settings come from.

A value is looked up in the process environment, then in ``.env``, then in ``var/env``
(written by ``bin/run``: generated secrets and the addresses of embedded services).
``NAME_FILE`` names a file that holds the value of ``NAME``, the way container platforms
mount secrets.
"""

import difflib
import importlib.util
import ipaddress
import math
import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values

from careersite.settings import hosts

_PACKAGE = Path(__file__).resolve().parents[1]
#: In a wheel, templates, static files and catalogues lie in the package; in a checkout, at the
#: root of the repository.
IS_CHECKOUT = not (_PACKAGE / "templates").is_dir()
RESOURCES = _PACKAGE.parents[1] if IS_CHECKOUT else _PACKAGE
#: Where ``.env`` and ``var/`` are.
ROOT = RESOURCES if IS_CHECKOUT else Path.cwd()

#: The services that can be named, each with its variables. These belong together: a mail server
#: that is named in EMAIL_HOST does not listen on the embedded server's port.
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

#: Every variable that this product reads.
NAMES = frozenset(
    """
    ADMIN_PASSWORD ALLOWED_HOSTS APPLICATIONS_PER_JOB APPLICATIONS_PER_NETWORK
    BACKUP_MAX_HOURS BACKUP_STAMP BIND_ADDRESS
    CLAMAV_URL DEBUG DEFAULT_FROM_EMAIL DEMO_PASSWORD DRAIN_SECONDS EMAIL_TIMEOUT
    EMAIL_WEBHOOK_SECRET EXTRA_APPS
    FLOWER_BIND_ADDRESS FLOWER_PASSWORD FLOWER_PORT FLOWER_URL HASH_KEY HASH_KEY_FALLBACKS
    HSTS_INCLUDE_SUBDOMAINS HSTS_PRELOAD KEEP_HISTORY_DAYS LANGUAGES LOG_FORMAT
    MAILS_PER_MAILBOX
    METRICS_TOKEN PAGE_CACHE_MEMORY PDF_MEMORY_LIMIT PIPELINE_BACKOFF_BASE PIPELINE_BROKER_GRACE
    PIPELINE_HARD_LIMIT
    PIPELINE_LEASE PIPELINE_PROBE_INTERVAL PIPELINE_REDISPATCH_AFTER PIPELINE_SOFT_LIMIT
    PIPELINE_SWEEP_INTERVAL PORT PROCESS SECRET_KEY SECRET_KEY_FALLBACKS SITE_URL SSL_CERT_FILE
    TEMPLATE_DIR TRUSTED_PROXIES VAR_DIR
    OIDC_CLIENT_ID OIDC_CLIENT_SECRET OIDC_GROUPS OIDC_GROUPS_CLAIM OIDC_ISSUER OIDC_LINK_BY_EMAIL
    OIDC_NAME OIDC_SCOPES OIDC_SECOND_FACTOR
    """.split()
).union(*SERVICES.values())

#: Variables that had another name in an earlier release, which still works.
FORMER_NAMES = {"PIPELINE_REDISPATCH_AFTER": "PIPELINE_RERING_AFTER"}

#: The ports of the site and of Flower, unless PORT and FLOWER_PORT say otherwise.
DEFAULT_PORT, DEFAULT_FLOWER_PORT = 8000, 5555

#: What the same ``.env`` may hold for ``docker-compose.yml`` only.
COMPOSE_NAMES = frozenset(
    """
    COMPOSE_PROFILES EDGE_SUBNET FONTS HTTPS_PORT HTTP_PORT IMAGE POSTGRES_PASSWORD
    REDIS_PASSWORD TLS
    """.split()
)

#: Variables that mean nothing without another one: the variable, the other one, what to do.
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
    ("OIDC_ISSUER", "OIDC_CLIENT_ID", "Give the name of this site at the OpenID provider in it."),
    ("OIDC_ISSUER", "OIDC_CLIENT_SECRET", "Give the secret of this site at the provider in it."),
    ("OIDC_CLIENT_ID", "OIDC_ISSUER", "Give the address of the OpenID provider in it."),
)
#: How our variables begin. Other programs, too, read variables that begin like the last one.
PREFIXES = ("EMAIL_", "FLOWER_", "OIDC_", "PIPELINE_", "AWS_")

_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_TRUE = {"1", "on", "t", "true", "y", "yes"}
_FALSE = {"0", "off", "f", "false", "n", "no"}


def load(*files: Path, generated: Path | None = None) -> None:
    """Put the values in ``files`` into the process environment, where it has none.

    Earlier files win over later ones. ``NAME_FILE`` is read at the level that gives it, so a
    secret mounted by the platform wins over a value in ``.env``. ``generated`` comes last, and
    its values for a service that was named before are ignored.

    Raises:
        ImproperlyConfigured: a ``NAME_FILE`` names a file that can't be read.
    """
    layers: list[Mapping[str, str | None]] = [dict(os.environ)]
    layers += [dotenv_values(path) for path in files]
    for layer in layers:
        for name in NAMES:
            value, path = layer.get(name), layer.get(f"{name}_FILE")
            value = value or layer.get(FORMER_NAMES.get(name, ""))
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
    """A sentence for each variable that seems to be meant for this site but is unknown.

    In ``files``, a variable counts if it resembles one of ours or begins like ours. In the
    environment, which is full of other programs' variables, only if both are true.
    """
    known = NAMES | COMPOSE_NAMES | {f"{name}_FILE" for name in NAMES}
    known |= set(FORMER_NAMES.values())
    found = []
    for where, names in [(str(path), dotenv_values(path)) for path in files] + [("", os.environ)]:
        for name in sorted(set(names) - known):
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.78)
            ours = name.startswith(PREFIXES if where else PREFIXES[:-1])
            if (near or ours) if where else (near and ours):
                hint = f" Did you mean {near[0]}?" if near else ""
                source = f" in {where}" if where else ""
                found.append(f"{name}{source} is not a setting of this site and is ignored.{hint}")
    return found


def check_pairs() -> None:
    """Refuse a variable whose partner in ``PAIRS`` is missing."""
    for name, other, action in PAIRS:
        if given(name) and not given(other):
            raise ImproperlyConfigured(f"{name} is set but {other} is not. {action}")


def named() -> set[str]:
    """The services of ``SERVICES`` for which the environment has at least one variable."""
    return {service for service, names in SERVICES.items() if any(map(given, names))}


def given(name: str) -> str:
    """The value of ``name``, or "" when it is missing or empty."""
    return os.environ.get(name, "")


def flag(name: str, default: bool = False) -> bool:
    """A yes/no setting; raises ImproperlyConfigured for any other value."""
    value = given(name).strip().lower()
    if value and value not in _TRUE | _FALSE:
        raise ImproperlyConfigured(
            f"{name} must be true or false, not {given(name)}. Correct {name} and start again."
        )
    return value in _TRUE if value else default


def number(name: str, default: float, *, least: float = 0) -> float:
    """A number no smaller than ``least``; raises ImproperlyConfigured otherwise."""
    try:
        value = float(given(name) or default)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ImproperlyConfigured(
            f"{name} must be a number, not {given(name)}. Correct {name} and start again."
        )
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least:g}, not {value:g}.")
    return value


def rates(name: str, default: str) -> list[tuple[int, timedelta]]:
    """Rates such as ``20/minute 120/hour``, separated by commas or spaces.

    Returns:
        For each rate a number, and the time within which it is reached.

    Raises:
        ImproperlyConfigured: one of them is no rate.
    """
    found = []
    for word in (given(name) or default).replace(",", " ").split():
        count, _slash, unit = word.partition("/")
        if not (count.isdecimal() and int(count) and unit in _UNITS):
            raise ImproperlyConfigured(
                f"{name} must hold rates such as 20/minute or 120/hour, not {word}."
            )
        found.append((int(count), _UNITS[unit]))
    return found


def port(name: str, default: int) -> int:
    """A TCP port; raises ImproperlyConfigured for any other value."""
    try:
        value = int(given(name) or default)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be a whole number, not {given(name)}. Correct {name} and start again."
        ) from None
    if not 0 < value < 65536:
        raise ImproperlyConfigured(f"{name} must be a port from 1 to 65535, not {value}.")
    return value


def words(name: str) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in given(name).split(",") if word.strip()]


def keys(name: str) -> list[str]:
    """Secret keys, separated by commas or white space, such as the lines of a mounted file."""
    return given(name).replace(",", " ").split()


def address(name: str, default: str) -> str:
    """An IP address to listen on; raises ImproperlyConfigured for any other value."""
    value = given(name) or default
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} must be an IP address such as 127.0.0.1 or 0.0.0.0, not {value}."
        ) from None


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """IP addresses and networks, separated by commas or spaces.

    Raises:
        ImproperlyConfigured: one of them is neither, such as a host name.
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
    """A URL that starts with one of ``schemes``; raises ImproperlyConfigured otherwise."""
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
    # A database may be a file, or listen on a Unix socket.
    on_this_machine = parts.scheme in ("sqlite", "redis+socket") or (
        parts.scheme.startswith("postgres") and not parts.username
    )
    if not host and not on_this_machine:
        raise ImproperlyConfigured(
            f"{name} names no host. Write it as {parts.scheme}://… with the host's name."
        )
    return hosts.url(name, value)


def socket_url(name: str) -> str:
    """The address of a daemon, ``tcp://host:port`` or ``unix:///path``; "" when it is not set.

    Raises:
        ImproperlyConfigured: it is anything else.
    """
    value = given(name).strip()
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    is_tcp = parts.scheme == "tcp" and host and port and parts.path in ("", "/")
    is_unix = parts.scheme == "unix" and not parts.netloc and parts.path.startswith("/")
    if not (is_tcp or is_unix) or parts.username or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} must be tcp://host:port, such as tcp://127.0.0.1:3310, or unix:///path, such "
            "as unix:///run/clamav/clamd.ctl."
        )
    return hosts.url(name, value)


def directory(name: str) -> Path | None:
    """An existing directory, or None; raises ImproperlyConfigured for anything else."""
    if not given(name):
        return None
    path = Path(given(name)).resolve()
    if not path.is_dir():
        raise ImproperlyConfigured(f"{name} names {given(name)}, which is not a directory.")
    return path


def apps(name: str) -> dict[str, Path]:
    """A comma-separated list of Django apps, each with the directory of its package.

    An entry is a package, or the path of an ``AppConfig`` class.

    Raises:
        ImproperlyConfigured: an app is not installed.
    """
    found = {}
    for app in words(name):
        for package in (app, app.rpartition(".")[0].rpartition(".")[0]):
            try:
                spec = importlib.util.find_spec(package) if package else None
            except (ImportError, ValueError):
                spec = None
            if spec and spec.submodule_search_locations:
                found[app] = Path(next(iter(spec.submodule_search_locations)))
                break
        else:
            raise ImproperlyConfigured(
                f"{name} names {app}, which is not installed. Install its package here, or "
                f"correct {name}."
            )
    return found


def required(name: str, hint: str) -> str:
    """A value that the site needs; raises ImproperlyConfigured with ``hint`` if it is missing."""
    value = given(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def readable(name: str) -> None:
    """Raise ImproperlyConfigured if the variable names a file that can't be read."""
    if given(name) and not os.access(given(name), os.R_OK):
        raise ImproperlyConfigured(f"{name} names {given(name)}, which can't be read.")
