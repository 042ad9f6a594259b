"""The wheel holds everything, and a site runs from it outside the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

from careersite.settings.env import NAMES
from tests.support.processes import until
from tests.support.servers import reserve_port

ROOT = Path(__file__).resolve().parents[2]
#: Where the parts of the checkout lie in the wheel.
PARTS = {
    "careers": "careers",
    "home": "home",
    "site/careersite": "careersite",
    "templates": "careersite/templates",
    "static": "careersite/static",
    "locale": "careersite/locale",
}
#: A tool of the checkout: it makes the fonts.
LEFT_OUT = {"careersite/static/fonts/make.py"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(directory), "."]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    (built,) = directory.glob("*.whl")
    return built


def test_wheel_holds_every_file_of_the_product(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *PARTS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    expected = set()
    for path in listed:
        part = next(part for part in PARTS if path.startswith(f"{part}/"))
        if (ROOT / path).exists():
            expected.add(PARTS[part] + path.removeprefix(part))
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected - LEFT_OUT
    assert any(name.endswith(".woff2") for name in names)
    assert "careersite/locale/fr/LC_MESSAGES/django.mo" in names


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel; its dependencies are those of the tests."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")]
    install = [*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    packages = next(venv.glob("lib/*/site-packages"))
    # A directory that a .pth file names is searched, but its own .pth files are not read. So the
    # checkout, which is installed there in place, stays unknown.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin"


@pytest.mark.timeout(600)
def test_installed_wheel_runs_a_site_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    ours = NAMES | {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV"}
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    port = reserve_port()
    # With DEBUG, static files are served from the package without being collected.
    environ |= {"PORT": str(port), "SECRET_KEY": "x" * 50, "DEBUG": "true"}
    python = str(installed / "python")

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    find = "from importlib.util import find_spec; print(find_spec('careersite').origin)"
    where = run(python, "-c", find)
    assert where.startswith(str(installed.parent))
    run(str(installed / "careersite"), "migrate", "-v0")
    run(python, "-m", "careersite", "seed_demo")
    assert (tmp_path / "var" / "db.sqlite3").exists()

    gunicorn = "import sys; from gunicorn.app.wsgiapp import run; sys.exit(run())"
    options = ["-c", "python:careersite.gunicorn", "--workers", "1", "careersite.wsgi"]
    command = [python, "-c", gunicorn, *options]
    log = tmp_path / "web.log"
    with log.open("w") as out:
        web = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=out, stderr=out)
    try:
        site = f"http://127.0.0.1:{port}"
        until(
            lambda: "Booting worker" in log.read_text(),
            60,
            "gunicorn did not start",
            alive=lambda: web.poll() is None,
        )
        home, french = (fetch(f"{site}{path}") for path in ("/", "/fr/"))
        assert "Tidewater" in home
        assert 'lang="fr"' in french
        (style,) = set(re.findall(r'href="(/static/css/fonts\.css[^"]*)"', home))
        assert "@font-face" in fetch(site + style)
    finally:
        web.terminate()
        web.wait(30)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()
