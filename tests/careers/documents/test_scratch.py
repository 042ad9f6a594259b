"""Temporary files of a killed process are deleted by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from careers.documents import scratch as module
from careers.documents.scratch import PREFIX, scratch

MAKES_ONE_AND_WAITS = """
import sys, tempfile
from careers.documents.scratch import scratch
with scratch():
    folder = tempfile.mkdtemp(prefix="fonts-")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The machine's temporary directory, empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_folders", {})
    yield tmp_path
    for _folder, lock in module._folders.values():
        os.close(lock)


def another_process(temporary: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a folder of fonts, and the path of that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES_ONE_AND_WAITS],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_temporary_files_are_in_one_folder_of_the_process(temporary: Path) -> None:
    with scratch() as folder:
        made = Path(tempfile.mkdtemp())
    with scratch() as again:
        assert made.parent == folder == again
    assert folder.parent == temporary
    assert Path(tempfile.mkdtemp()).parent == temporary


def test_folder_of_a_killed_process_is_deleted_and_of_a_live_one_kept(temporary: Path) -> None:
    living, fonts_of_living = another_process(temporary)
    killed, fonts_of_killed = another_process(temporary)
    with living, killed:
        assert fonts_of_living.is_dir()
        assert fonts_of_killed.is_dir()
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with scratch() as own:
            assert sorted(temporary.iterdir()) == sorted([fonts_of_living.parent, own])
        assert fonts_of_living.is_dir()
        living.kill()


def test_forked_child_has_a_folder_of_its_own(temporary: Path) -> None:
    with scratch() as own:
        pass
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with scratch() as other:
            os.write(writing, os.fsencode(other))
        os._exit(0)
    os.waitpid(child, 0)
    other = Path(os.fsdecode(os.read(reading, 1_000)))
    os.close(reading)
    os.close(writing)
    assert other.parent == temporary
    assert other != own
    assert own.is_dir()


def test_folder_deleted_by_the_system_is_made_again(temporary: Path) -> None:
    with scratch() as own:
        pass
    own.rmdir()
    with scratch() as again:
        assert again.is_dir()
        assert again.name.startswith(PREFIX)


def test_folder_deleted_before_it_is_opened_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that looks for abandoned folders may be faster."""
    make, deleted = tempfile.mkdtemp, []

    def make_and_lose_the_first(**options: str) -> str:
        folder = make(**options)
        if not deleted:
            deleted.append(folder)
            os.rmdir(folder)
        return folder

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose_the_first)
    with scratch() as own:
        assert own.is_dir()
    assert deleted
    assert deleted != [str(own)]
