"""Which services ``bin/run`` embeds, and the addresses and secrets that it generates.

``var/env`` holds what was generated, so that ``manage.py`` in a second shell and the next start
find the same values. Values that a person configured are never copied there.
"""

import os
import secrets
import shutil
import socket
import string
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from careersite.settings import env

#: Generated once, unless they are configured.
SECRETS = ("SECRET_KEY", "ADMIN_PASSWORD", "DEMO_PASSWORD", "FLOWER_PASSWORD")
#: The site's data in ``var/``; ``--fresh`` deletes nothing else.
DATA = "archive beat* broker db.sqlite3* env flower* log mail media static static.stamp"
HEADER = "# Written by bin/run. Put your own values into .env or the environment.\n"


class Refused(Exception):
    """The site can't start; the message is one or two sentences for the person who started it."""


def arrange(var: Path) -> set[str]:
    """Decide which services are embedded, and write ``var/env`` for them.

    Call it after ``env.load(".env")``, while the process environment holds only values that a
    person configured.

    Returns:
        The services of ``env.SERVICES`` that ``bin/run`` starts.
    """
    embedded = set(env.SERVICES) - env.named()
    before = {name: value for name, value in dotenv_values(var / "env").items() if value}
    lines = {
        name: before.get(name) or _secret(64 if name == "SECRET_KEY" else 16)
        for name in SECRETS
        if not env.given(name) or name in before
    }
    lines |= _addresses(embedded, before)
    _write(var / "env", lines)
    return embedded


def check_complete() -> None:
    """Raise Refused for a service that has some of its variables, but not those that it needs."""
    needed = {
        "mail": {} if env.given("EMAIL_PROVIDER") else {"EMAIL_HOST": "Name the mail server in it"},
        "archive": {
            "AWS_STORAGE_BUCKET_NAME": "Name the private bucket in it",
            "AWS_ACCESS_KEY_ID": "Give the key of the bucket in it",
            "AWS_SECRET_ACCESS_KEY": "Give the secret of the key in it",
        },
    }
    for service in sorted(env.named() & needed.keys()):
        names = env.SERVICES[service]
        there = next(name for name in names if env.given(name))
        for name, action in needed[service].items():
            if not env.given(name):
                raise Refused(
                    f"{there} is set but {name} is not. {action}, or unset {there} to use "
                    f"the embedded {service} server."
                )


def wipe(var: Path, sure: bool) -> None:
    """Delete what the site keeps in ``var``, after asking."""
    if not sure:
        if not sys.stdin.isatty():
            raise Refused("--fresh deletes all data. Add --yes to do so without being asked.")
        question = f"Delete all data in {var}: applications, files, mails, passwords? [y/N] "
        if input(question).strip().lower() not in {"y", "yes"}:
            raise Refused("Nothing was deleted.")
    for pattern in DATA.split():
        for path in var.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def port_is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def port_of(name: str, given: Mapping[str, str] = os.environ) -> int:
    """The port in the variable ``name``, which holds a URL or a port; 0 when there is none."""
    value = given.get(name, "")
    return int(value) if value.isdigit() else urlsplit(value).port or 0


def _addresses(embedded: set[str], before: Mapping[str, str]) -> dict[str, str]:
    """The variables of the embedded services; earlier ports are kept while they are free."""
    taken: set[int] = set()

    def port(remembered: int) -> int:
        while not remembered or remembered in taken or not port_is_free(remembered):
            with socket.socket() as chooser:
                chooser.bind(("127.0.0.1", 0))
                remembered = chooser.getsockname()[1]
        taken.add(remembered)
        return remembered

    lines = {}
    if "broker" in embedded:
        password = urlsplit(before.get("REDIS_URL", "")).password or _secret(32)
        lines["REDIS_URL"] = f"redis://:{password}@127.0.0.1:{port(port_of('REDIS_URL', before))}/0"
    if "archive" in embedded:
        at = port(port_of("AWS_S3_ENDPOINT_URL", before))
        key = before.get("AWS_ACCESS_KEY_ID") or _secret(20)
        secret = before.get("AWS_SECRET_ACCESS_KEY") or _secret(40)
        lines |= {
            "AWS_STORAGE_BUCKET_NAME": "careers",
            "AWS_S3_ENDPOINT_URL": f"http://127.0.0.1:{at}",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
    if "mail" in embedded:
        at = port(port_of("EMAIL_PORT", before))
        lines |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(at)}
    return lines


def _secret(length: int) -> str:
    """Letters and digits only: easy to select, and safe in URLs and files."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def _write(path: Path, lines: Mapping[str, str]) -> None:
    """Replace ``path`` atomically; only its owner can read it at any time."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(HEADER + "".join(f"{name}={value}\n" for name, value in lines.items()))
    new.replace(path)
