"""What an operator gets wrong: each mistake ends in one sentence that names what to change."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

from containers.composefile import Refused
from containers.engine import Failed
from containers.journeys import expect
from containers.site import HTTPS_PORT, Site
from containers.visitor import until


def all_of_them(site: Site) -> None:
    """Make each mistake at a running or stopped project, and put it right again."""
    for mistake in (
        no_env,
        half_filled_env,
        wrong_site_url,
        port_in_use,
        secret_missing,
        read_only_media,
        newer_database,
    ):
        print(f"   {(mistake.__doc__ or '').splitlines()[0]}", flush=True)
        said = mistake(site)
        print(f"      {said}", flush=True)


def refused(act: Callable[[], object]) -> str:
    """What is said when this is refused.

    Raises:
        AssertionError: it is not refused.
    """
    try:
        act()
    except (Refused, Failed) as error:
        return str(error)
    raise AssertionError("nothing was refused")


def sentence(text: str, pattern: str) -> str:
    """The one line that holds the pattern, cut to what a person reads first."""
    lines = [line.strip() for line in text.splitlines() if re.search(pattern, line)]
    expect(lines, f"no line says {pattern!r}:\n{text[-1500:]}")
    return lines[-1][:300]


def bin_env(site: Site, *arguments: str) -> str:
    done = subprocess.run([site.directory / "bin/env", *arguments], capture_output=True, text=True)
    expect(done.returncode == 2, f"bin/env accepts it: {done.stdout}{done.stderr}")
    return done.stderr


def no_env(site: Site) -> str:
    """There is no .env."""
    file = site.directory / ".env"
    aside = file.rename(site.directory / ".env.aside")
    try:
        expect("bin/env" in bin_env(site, "--check"), "bin/env names no command")
        return sentence(refused(site.project.up), "SITE_URL|AWS_STORAGE|DEFAULT_FROM")
    finally:
        aside.rename(file)


def half_filled_env(site: Site) -> str:
    """A value that the file demands is empty."""
    return _with_value(site, "DEFAULT_FROM_EMAIL", "", "DEFAULT_FROM_EMAIL")


def _with_value(site: Site, name: str, value: str, pattern: str) -> str:
    file = site.directory / ".env"
    before = file.read_text()
    site.set_value(name, value)
    try:
        sentence(bin_env(site, "--check"), pattern)
        return sentence(refused(site.project.up), pattern)
    finally:
        file.write_text(before)


def wrong_site_url(site: Site) -> str:
    """SITE_URL has no scheme."""
    file = site.directory / ".env"
    before = file.read_text()
    site.set_value("SITE_URL", "localhost")
    try:
        sentence(bin_env(site, "--check"), "SITE_URL")
        code, output = site.project.run_once("migrate")
        expect(code, "migrate accepts it")
        return sentence(output, "SITE_URL")
    finally:
        file.write_text(before)


def port_in_use(site: Site) -> str:
    """Another program listens on the port of the proxy."""
    name = site.project.containers("proxy")[0]
    site.project.health.forget(name)
    site.engine.run("rm", "--force", name)
    command = ["python3", "-m", "http.server", str(HTTPS_PORT), "--bind", "0.0.0.0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            until(lambda: _listens(HTTPS_PORT), 20, "the other program does not listen")
            return sentence(refused(lambda: site.project.up("proxy")), "HTTPS_PORT")
        finally:
            other.terminate()
            other.wait()
            until(lambda: not _listens(HTTPS_PORT), 20, "the other program still listens")
            site.project.up("proxy")
            site.trust_the_proxy()


def _listens(port: int) -> bool:
    import socket

    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def secret_missing(site: Site) -> str:
    """A file in secrets/ is missing."""
    file = site.directory / "secrets/SECRET_KEY"
    aside = file.rename(site.directory / "SECRET_KEY.aside")
    try:
        sentence(bin_env(site, "--check"), "secrets/SECRET_KEY")
        return sentence(refused(site.project.up), "secrets/SECRET_KEY")
    finally:
        aside.rename(file)


def read_only_media(site: Site) -> str:
    """The volume with the pictures of pages can't be written to."""
    name = site.project.containers("web")[0]
    mounts = site.engine.inspect(name)[0]["Mounts"]
    (source,) = [mount["Source"] for mount in mounts if mount["Destination"].endswith("media")]
    subprocess.run(["chown", "0:0", source], check=True)
    try:
        check = ("python", "manage.py", "check_services")
        _code, output = site.project.run_once("sweeper", *check)
        return sentence(output, "media: .* can't be written to")
    finally:
        subprocess.run(["chown", "10001:10001", source], check=True)


def newer_database(site: Site) -> str:
    """A newer release has migrated the database."""
    insert = (
        "INSERT INTO django_migrations (app, name, applied) VALUES ('careers', '9999_x', now())"
    )
    site.query(insert)
    try:
        code, output = site.project.run_once("migrate")
        expect(code, "migrate accepts it")
        return sentence(output, "9999_x|newer")
    finally:
        site.query("DELETE FROM django_migrations WHERE name = '9999_x'")
