"""The whole site as ``bin/run`` starts and stops it, from an empty directory."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from careersite.settings.env import NAMES
from tests.support.processes import until
from tests.support.servers import HOST, reserve_port
from tests.support.speed import patient

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
#: The settings of the tests must not reach the site.
LEAVE_OUT = {*NAMES, "DJANGO_SETTINGS_MODULE"}


@pytest.mark.timeout(240)
def test_bin_run_starts_accepts_an_application_and_leaves_no_process(
    tmp_path: Path,
) -> None:
    port, flower_port = reserve_port(), reserve_port()
    environ = {name: value for name, value in os.environ.items() if name not in LEAVE_OUT}
    environ |= {"VAR_DIR": str(tmp_path), "PORT": str(port), "FLOWER_PORT": str(flower_port)}
    # As after an earlier start: bin/run keeps these ports, and no other test can be given them.
    (tmp_path / "env").write_text(
        f"REDIS_URL=redis://:{secrets.token_hex(12)}@{HOST}:{reserve_port()}/0\n"
        f"AWS_S3_ENDPOINT_URL=http://{HOST}:{reserve_port()}\nEMAIL_PORT={reserve_port()}\n"
    )
    said = tmp_path / "said"
    with said.open("w") as out:
        command = [sys.executable, "-m", "careersite.embedded"]
        site = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
    try:
        until(
            lambda: "The careers site runs." in said.read_text(),
            150,
            "bin/run did not come up",
            alive=lambda: site.poll() is None,
        )
        for path in ("/", "/careers/", "/careers/people-partner/", "/admin/login/"):
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}{path}", timeout=patient(30)
            ) as page:
                assert (path, page.status) == (path, 200)
        applied = subprocess.run(
            [sys.executable, "manage.py", "apply_demo", "--timeout", "90"],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (applied.returncode, applied.stdout.splitlines()[-1]) == (
            0,
            "4 of 4 steps succeeded.",
        )
        again = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
        assert (again.returncode, b"runs already" in again.stdout) == (0, True)
    finally:
        site.terminate()
        site.wait(patient(60))
    assert [pid for pid in Path("/proc").glob("[0-9]*") if _belongs(pid, tmp_path)] == []


def _belongs(process: Path, var: Path) -> bool:
    try:
        return f"VAR_DIR={var}".encode() in (process / "environ").read_bytes()
    except OSError:
        return False
