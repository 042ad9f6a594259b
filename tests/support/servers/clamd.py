"""ClamAV's daemon with a signature file of one line: it knows only the EICAR test file."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.processes import Process
from tests.support.servers.ports import HOST, reserve_port

#: The test file of https://www.eicar.org/download-anti-malware-testfile/. It is in two parts, so
#: that no scanner takes this module for it.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
#: What clamd reports. It marks signatures that ClamAV has not signed.
SIGNATURE = "Eicar-Test-Signature.UNOFFICIAL"


def clamd() -> str | None:
    """The program; None if it is not installed."""
    beside = Path(sys.prefix, "clamd", "usr", "sbin", "clamd")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return str(beside) if beside.exists() else shutil.which("clamd", path=path)


def clamd_command(
    directory: Path, port: int | None = None, *, stream_max_length: str = "12M"
) -> list[str]:
    """The command that starts clamd.

    Args:
        directory: for its signatures, its configuration and its socket.
        port: of the loopback address; without it clamd listens on ``directory/clamd.ctl``.
        stream_max_length: the longest content that it accepts.

    Raises:
        RuntimeError: it is not installed.
    """
    program = clamd()
    if program is None:
        raise RuntimeError("clamd was not found. `bin/setup --dev` installs it.")
    signatures = directory / "signatures"
    signatures.mkdir(parents=True, exist_ok=True)
    # Name, kind of file (any), offset (any), bytes: docs.clamav.net, ExtendedSignatures.
    name = SIGNATURE.partition(".")[0]
    (signatures / "test.ndb").write_text(f"{name}:0:*:{EICAR.hex()}\n")
    listens = f"TCPAddr {HOST}\nTCPSocket {port}" if port else f"LocalSocket {directory}/clamd.ctl"
    configuration = directory / "clamd.conf"
    configuration.write_text(
        f"Foreground yes\nDatabaseDirectory {signatures}\nTemporaryDirectory {directory}\n"
        f"{listens}\nStreamMaxLength {stream_max_length}\nMaxThreads 2\nSelfCheck 0\n"
    )
    return [program, f"--config-file={configuration}"]


class Clamd:
    """A clamd on a TCP port, or on a Unix socket.

    Attributes:
        url: for ``CLAMAV_URL``.
    """

    def __init__(
        self, directory: Path, *, unix: bool = False, stream_max_length: str = "12M"
    ) -> None:
        self.port = None if unix else reserve_port()
        self.url = f"unix://{directory}/clamd.ctl" if unix else f"tcp://{HOST}:{self.port}"
        self._socket = directory / "clamd.ctl"
        command = clamd_command(directory, self.port, stream_max_length=stream_max_length)
        self.process = Process("clamd", command, environ={}, log=directory / "clamd.log")

    def start(self) -> None:
        """Start, and return once it answers."""
        self.process.start()
        self.process.until(self._answers, 20, "clamd did not start")

    def _answers(self) -> bool:
        family = socket.AF_INET if self.port else socket.AF_UNIX
        with socket.socket(family) as probe:
            probe.settimeout(5)
            try:
                probe.connect((HOST, self.port) if self.port else str(self._socket))
            except OSError:
                return False
            return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.process.kill()
