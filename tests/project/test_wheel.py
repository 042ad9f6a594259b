"""The wheel holds everything, and a site runs from it outside the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.support.processes import until
from tests.support.servers import reserve_port
from tests.support.wheel import ROOT, WheelSite

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


@pytest.mark.timeout(600)
def test_installed_wheel_runs_a_site_in_an_empty_directory(
    installed: Path, seeded: Path, tmp_path: Path
) -> None:
    # ``seeded`` was empty: the commands of the wheel made everything in it.
    assert [path.name for path in seeded.iterdir()] == ["var"]
    shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
    site = WheelSite(installed, tmp_path)
    find = "from importlib.util import find_spec; print(find_spec('careersite').origin)"
    assert site.run(str(installed / "python"), "-c", find).startswith(str(installed.parent))

    port = reserve_port()
    gunicorn = "import sys; from gunicorn.app.wsgiapp import run; sys.exit(run())"
    options = ["-c", "python:careersite.gunicorn", "--workers", "1", "careersite.wsgi"]
    command = [str(installed / "python"), "-c", gunicorn, *options]
    log = tmp_path / "web.log"
    with log.open("w") as out:
        web = subprocess.Popen(
            command, cwd=tmp_path, env=site.environ(PORT=port), stdout=out, stderr=out
        )
    try:
        address = f"http://127.0.0.1:{port}"
        until(
            lambda: "Booting worker" in log.read_text(),
            60,
            "gunicorn did not start",
            alive=lambda: web.poll() is None,
        )
        home, french = (fetch(f"{address}{path}") for path in ("/", "/fr/"))
        assert "Tidewater" in home
        assert 'lang="fr"' in french
        (style,) = set(re.findall(r'href="(/static/css/page-home\.css[^"]*)"', home))
        # Without collectstatic the parts are not joined.
        assert '@import "page.css"' in fetch(address + style)
        assert "@font-face" in fetch(f"{address}/static/css/fonts.css")
    finally:
        web.terminate()
        web.wait(30)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()
