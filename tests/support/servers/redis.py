"""Debian's Redis, which speaks TLS."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.support.servers.ports import HOST


def redis_with_tls(directory: Path, port: int, password: str, certificate: Path) -> list[str]:
    """The command that starts Debian's Redis with TLS only, on ``port``.

    The embedded broker is built without TLS. Debian's package ``redis-tools`` contains the server
    under another name, and unlike ``redis-server`` it starts nothing when it is installed.

    Raises:
        RuntimeError: it is not installed.
    """
    program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    if program is None:
        raise RuntimeError("Redis was not found. `bin/setup --dev` installs it.")
    directory.mkdir(parents=True, exist_ok=True)
    configuration = directory / "redis.conf"
    configuration.write_text(
        f"bind {HOST}\nport 0\ntls-port {port}\ntls-cert-file {certificate}\n"
        f"tls-key-file {certificate}\ntls-auth-clients no\nrequirepass {password}\n"
        f"dir {directory}\nappendonly yes\nmaxmemory-policy noeviction\n"
    )
    become = f"import os; os.execv({program!r}, ['redis-server', {str(configuration)!r}])"
    return [sys.executable, "-c", become]
