"""A folder for the temporary files of one process, which goes even when the process is killed.

Python deletes temporary files when it ends in peace. Children of a worker's pool never do: they
are renewed without it, and killed when the worker stops. So each folder is locked for as long as
its process lives (flock(2)), and whoever makes the next one clears away those that nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "careers-scratch-"

#: By process, with the open file that holds the lock: a fork must not write into its parent's.
_folders: dict[int, tuple[Path, int]] = {}


@contextmanager
def scratch() -> Iterator[Path]:
    """Have ``tempfile`` make its files in this process's own folder, which is given back.

    Raises:
        OSError: the disk is full or the temporary directory cannot be written.
    """
    before, folder = tempfile.tempdir, _own()
    tempfile.tempdir = os.fspath(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before


def _own() -> Path:
    folder, _lock = _folders.get(os.getpid(), (None, 0))
    if folder is None or not folder.exists():
        _clear_away()
        folder, lock = _new()
        _folders[os.getpid()] = folder, lock
    return folder


def _new() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        # Somebody cleared it away before it was locked.
        os.close(lock)


def _clear_away() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Held by its process, somebody else's, or gone in this moment.
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
