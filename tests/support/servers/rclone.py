"""A real S3 server that ignores conditional writes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.processes import until
from tests.support.servers.ports import HOST, reserve_port
from tests.support.servers.storages import ACCESS_KEY, BUCKET, SECRET_KEY, archive_storages


class Rclone:
    """``rclone serve s3``: a real server that checks signatures; objects are files on disk.

    Like several servers that speak S3, it supports neither conditional writes nor versions and
    ignores checksums.

    It caches the sizes of files for a second: a test that changes or removes a file calls
    ``forget`` afterwards.

    Attributes:
        directory: holds a directory per bucket.
        endpoint: for ``AWS_S3_ENDPOINT_URL``.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self.directory = directory
        self.port = port or reserve_port()
        self.endpoint = f"http://{HOST}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def storages(self, **options: Any) -> Any:
        """The ``STORAGES`` setting for this server."""
        return archive_storages(self.endpoint, patience=10, **options)

    def path(self, key: str) -> Path:
        """The file that holds an object."""
        return self.directory / BUCKET / key

    def replace(self, path: Path, content: bytes) -> None:
        """Put other content in an object's place; return once the server reads it.

        The file is replaced at once: the server may read its directory at any moment, and must
        never find a file that is still empty.
        """
        beside = self.directory.parent / f"{path.name}.new"
        beside.write_bytes(content)
        beside.replace(path)
        self.forget()

    def forget(self) -> None:
        """Wait until the server reads the files again."""
        time.sleep(1.1)

    def start(self) -> None:
        """Start, and return once it answers."""
        beside = Path(sys.executable).parent / "rclone"
        program = str(beside) if beside.exists() else shutil.which("rclone") or "rclone"
        self._process = subprocess.Popen(
            [
                *(program, "serve", "s3", str(self.directory), "--addr", f"{HOST}:{self.port}"),
                # With 0 it spins after a few dozen requests and answers no more (1.75.2).
                *("--config", os.devnull, "--dir-cache-time", "1s"),
            ],
            # In the environment, for arguments are visible to everybody on the machine.
            env={**os.environ, "RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{SECRET_KEY}"'},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until(self._answers, 20, "rclone did not start")
        except AssertionError:
            self.stop()
            raise

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=5).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Stop; the objects stay, and ``start`` serves them again on the same port."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.stop()
