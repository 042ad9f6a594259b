"""The wheel in a bare virtual environment, and sites that run from it in a directory of their own.

The fixtures ``wheel``, ``installed`` and ``seeded`` (``tests/conftest.py``) are made once per test
run, also when several processes share it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from careersite.settings.env import NAMES
from tests.support.speed import patient

ROOT = Path(__file__).resolve().parents[2]

#: Every program begins with it. It uses the product only: the wheel holds no tests.
PRELUDE = """
import html
import django
django.setup()
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from careers.applications.models import Application
from careers.jobs.models import JobIndexPage, JobPage
from careers.pipeline.models import Step
from careers.pipeline.runner import run

headers = {"host": "127.0.0.1", "origin": settings.SITE_URL}
visitor, admin = Client(headers=headers), Client(headers=headers)
admin.force_login(get_user_model().objects.get(username="admin"))


def read(client, address):
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    content = b"".join(response) if response.streaming else response.content
    return html.unescape(content.decode())


def new_job(**given):
    "An open job that asks for the name and the e-mail address."
    job = JobPage(
        title="Gauge keeper", slug="gauge-keeper", summary="Keep the gauges.",
        ask_cv="off", ask_phone="off", **given,
    )
    JobIndexPage.objects.get(locale__language_code="en").add_child(instance=job)
    job.save_revision().publish()
    return JobPage.objects.get(pk=job.pk)


def send(job, **answers):
    given = {"name": "Jane Miller", "email": "jane@example.org", **answers}
    return visitor.post(job.apply_url, given)


def apply(job, **answers):
    response = send(job, **answers)
    assert response.status_code == 303, response.status_code
    return Application.objects.latest("received_at")


def attempt(application, kind):
    "Run a step as a worker does, now; its row afterwards."
    application.steps.filter(kind=kind).update(run_after=None)
    run(application.steps.get(kind=kind).pk, owner="worker:1")
    return application.steps.get(kind=kind)
"""


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A directory of this test run that ``make`` fills; the first process that needs it does."""
    base = temporary.getbasetemp()
    # Each process of xdist has a directory of its own below the run's.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    directory, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            make(directory)
            done.touch()
    return directory


def build(directory: Path) -> None:
    """Build the wheel of the checkout."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(directory), "."]
    subprocess.run(command, cwd=ROOT, check=True, timeout=patient(120))


def install(wheel: Path, directory: Path) -> None:
    """Make a virtual environment with the wheel; its dependencies are those of the tests."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(directory / "bin" / "python")]
    command = [*pip, "install", "-q", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run(command, check=True, timeout=patient(120))
    packages = next(directory.glob("lib/*/site-packages"))
    # A directory that a .pth file names is searched, but its own .pth files are not read. So the
    # checkout, which is installed there in place, stays unknown.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))


def seed(installed: Path, directory: Path) -> None:
    """Make the database and the demo company in an empty directory."""
    site = WheelSite(installed, directory)
    site.run(str(installed / "careersite"), "migrate", "-v0")
    site.run(str(installed / "python"), "-m", "careersite", "seed_demo")


@dataclass(frozen=True)
class WheelSite:
    """A site that runs from the wheel.

    Attributes:
        installed: the ``bin`` directory of the virtual environment.
        directory: where the site's ``var/`` is; each command runs there.
    """

    installed: Path
    directory: Path

    def environ(self, **given: object) -> dict[str, str]:
        """The environment of a process of the site, without what names the checkout."""
        ours = NAMES | {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV"}
        kept = {name: value for name, value in os.environ.items() if name not in ours}
        # With DEBUG, static files are served from the packages without being collected. Nothing
        # listens on port 1.
        fixed = {
            "SECRET_KEY": "x" * 50,
            "DEBUG": "true",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "DJANGO_SETTINGS_MODULE": "careersite.settings.local",
            "PYTHONPATH": str(self.directory),
        }
        return kept | fixed | {name: str(value) for name, value in given.items()}

    def run(self, *command: str, **environ: object) -> str:
        """The output of a command, which must succeed."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environ(**environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=patient(120),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *arguments: str, **environ: object) -> str:
        """The output of a management command."""
        return self.run(str(self.installed / "careersite"), *arguments, **environ)

    def perform(self, program: str, **environ: object) -> str:
        """The output of a program that starts with ``PRELUDE``."""
        text = PRELUDE + textwrap.dedent(program)
        return self.run(str(self.installed / "python"), "-c", text, **environ)
