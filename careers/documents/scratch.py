"""A folder for the temporary files of one process, deleted even after the process is killed.

Python deletes temporary files when the interpreter exits normally. Children of a worker's pool
do not exit normally: the pool replaces or kills them. So each process locks its folder while it
lives (flock(2)), and a process that makes a folder deletes those that no process locks.
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

#: By process id, with the file descriptor that holds the lock. A forked child needs its own.
_folders: dict[int, tuple[Path, int]] = {}


@contextmanager
def scratch() -> Iterator[Path]:
    """Make ``tempfile`` use this process's own folder inside the block; yields the folder.

    Raises:
        OSError: the disk is full, or the temporary directory is not writable.
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
        _delete_abandoned()
        folder, lock = _new()
        _folders[os.getpid()] = folder, lock
    return folder


def _new() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Another process may delete it before it is opened, or before it is locked.
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def _delete_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # A live process holds it, it belongs to another user, or it is just being deleted.
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
