"""The code of the previous release, to run beside the present one.

It is the commit before the modules, settings and fields got their present names, so an upgrade
from it goes through the migrations ``careers.0011`` to ``0018`` and ``home.0005``. Move ``COMMIT``
and ``MIGRATIONS`` on with each release.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.stack import ROOT

COMMIT = "1b41bf1c24d1716f6899d3706c21290228a13060"
#: The last migration of each app in that commit.
MIGRATIONS = {"careers": "0010_delivered_at", "home": "0004_dark_logo"}
#: That code reads numbers with a library that is installed no more. This is all it uses of it.
ENVIRONS = """
import os


class EnvError(ValueError):
    pass


class Env:
    def bool(self, name):
        return os.environ[name].lower() in ("1", "true", "yes", "on")

    def float(self, name):
        return float(os.environ[name])

    def int(self, name):
        return int(os.environ[name])
"""


def previous_release(directory: Path) -> Path:
    """Write the project's folder of that commit, and return it.

    The history of the repository holds it. Without the history the test is skipped.
    """
    archive = subprocess.run(
        ["git", "archive", "--format=tar", COMMIT], cwd=ROOT, capture_output=True
    )
    if archive.returncode:
        pytest.skip("the previous release is in the history, which is not here")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    (directory / "environs.py").write_text(ENVIRONS)
    return directory
