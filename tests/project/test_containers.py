"""``containers`` reads docker-compose.yml as Compose does; ``bin/env`` fills in what it needs."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from containers import arguments, composefile, short
from containers.composefile import Refused, interpolate, load, seconds
from containers.project import values_of

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = """
name: careers
services:
  web:
    image: careersite
    depends_on:
      database: {condition: service_healthy, required: false}
  database:
    image: postgres:17.7
    profiles: [database]
"""


def compose(directory: Path, text: str) -> Path:
    path = directory / "docker-compose.yml"
    path.write_text(text)
    return path


# ── docker-compose.yml ──────────────────────────────────────────────────────────────────


def test_compose_file_of_the_project_is_carried_out_in_order(tmp_path: Path) -> None:
    file = short.deploy(tmp_path)
    order = list(file.services)
    assert order.index("postgres") < order.index("migrate") < order.index("web")
    assert order.index("web") < order.index("proxy")
    assert file.needs(file.services["migrate"]) == {"postgres": "service_healthy"}
    assert file.services["worker-io"].grace == 40
    assert not {"seed", "clamav"} & file.services.keys()
    assert file.networks == {"inside": "", "edge": "172.30.99.0/24"}


def test_container_of_the_site_gets_no_rights(tmp_path: Path) -> None:
    file = short.deploy(tmp_path)
    given = arguments.of(file.services["beat"], file, tmp_path)
    for words in (
        ["--read-only", "--read-only-tmpfs=false"],
        ["--cap-drop", "ALL"],
        ["--security-opt", "no-new-privileges"],
        ["--memory", "384m"],
        ["--network", "careers_inside:alias=beat"],
        ["--volume", "careers_beat:/data"],
    ):
        assert words == given[given.index(words[0]) : given.index(words[0]) + 2] or any(
            words == given[place : place + 2] for place in range(len(given))
        )
    mounted = [word for word in given if ":/run/secrets/" in word]
    assert {word.rpartition("/")[2] for word in mounted} == {"DATABASE_URL:ro", "REDIS_URL:ro"}


def test_service_of_an_absent_profile_is_left_out(tmp_path: Path) -> None:
    path = compose(tmp_path, MINIMAL)
    file = load(path, {})
    assert list(file.services) == ["web"]
    assert file.needs(file.services["web"]) == {}
    with_database = load(path, {"COMPOSE_PROFILES": "database"})
    assert list(with_database.services) == ["database", "web"]


def test_required_service_of_an_absent_profile_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace(", required: false", "")
    file = load(compose(tmp_path, text), {})
    with pytest.raises(Refused, match="web depends on database"):
        file.needs(file.services["web"])


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("image: careersite", "image: careersite\n    privileged: true", "privileged"),
        ("required: false", "required: false, restart: true", "restart"),
        ("name: careers", "name: careers\nconfigs: {}", "configs"),
    ],
)
def test_unknown_key_is_refused_by_name(
    tmp_path: Path, before: str, after: str, named: str
) -> None:
    with pytest.raises(Refused, match=repr(named)):
        load(compose(tmp_path, MINIMAL.replace(before, after)), {})


def test_services_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    text = "services: {a: {depends_on: {b: {condition: service_started}}},"
    text += " b: {depends_on: {a: {condition: service_started}}}}"
    with pytest.raises(Refused, match="a, b wait for each other"):
        load(compose(tmp_path, text), {})


def test_variables_are_replaced_as_compose_does() -> None:
    values = {"A": "1", "EMPTY": ""}
    assert interpolate("${A} ${B} ${B:-2} ${EMPTY:-3} ${EMPTY-4} $${A} $A", values) == (
        "1  2 3  ${A} $A"
    )
    with pytest.raises(Refused, match=r"^B is the public address\.$"):
        interpolate("${B:?is the public address}", values)
    with pytest.raises(Refused, match="EMPTY"):
        interpolate("${EMPTY:?is empty}", values)


def test_durations_are_read() -> None:
    assert [seconds(text) for text in ("5s", "1m30s", "500ms", "1h")] == [5, 90, 0.5, 3600]
    with pytest.raises(Refused, match="'soon'"):
        seconds("soon")


def test_missing_secret_is_refused_with_the_command(tmp_path: Path) -> None:
    file = short.deploy(tmp_path)
    (tmp_path / "secrets/SECRET_KEY").unlink()
    with pytest.raises(Refused, match=r"web needs the file secrets/SECRET_KEY. Run bin/env"):
        arguments.of(file.services["web"], file, tmp_path)


def test_container_is_made_again_when_keys_image_or_secrets_change(tmp_path: Path) -> None:
    service = short.deploy(tmp_path).services["web"]
    other = composefile.Service("web", {**service.keys, "cpus": 1})
    prints = {
        arguments.fingerprint(*given)
        for given in (
            (service, "image", "secrets"),
            (other, "image", "secrets"),
            (service, "newer", "secrets"),
            (service, "image", "changed"),
        )
    }
    assert len(prints) == 4


# ── bin/env ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    for name in (".env.example", "bin/env", "bin/secrets"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def bin_env(folder: Path, *given: str, typed: str = "") -> tuple[int, str]:
    done = subprocess.run(
        [folder / "bin/env", *given], capture_output=True, text=True, input=typed, timeout=60
    )
    return done.returncode, done.stderr


def test_bin_env_makes_env_and_secrets_from_the_defaults(folder: Path) -> None:
    code, said = bin_env(folder, "--defaults", "SITE_URL=https://careers.example.com")
    assert code == 0, said
    made = values_of(folder / ".env")
    example = values_of(folder / ".env.example")
    assert made == {**example, "SITE_URL": "https://careers.example.com"}
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert (folder / "secrets/SECRET_KEY").stat().st_size == 64
    assert "delivers nothing" in said
    assert bin_env(folder, "--check")[0] == 0


def test_bin_env_asks_for_each_value_and_writes_nothing_without_an_answer(folder: Path) -> None:
    code, said = bin_env(folder, typed="https://careers.example.com\n")
    assert (code, (folder / ".env").exists()) == (2, False)
    assert "No answer for TLS" in said
    assert list(folder.glob(".env.??????")) == []
    code, said = bin_env(folder, typed="https://careers.example.com\nit@example.com\n" + "\n" * 50)
    assert code == 0, said
    made = values_of(folder / ".env")
    assert (made["SITE_URL"], made["TLS"]) == ("https://careers.example.com", "it@example.com")
    assert "The public address, without a slash at the end" in said


def test_bin_env_changes_no_value_that_is_there(folder: Path) -> None:
    mine = "SITE_URL='https://mine.example.com'\nMY_OWN=1\nLANGUAGES=\nTLS=it@example.com"
    (folder / ".env").write_text(mine)
    assert bin_env(folder, "--defaults", "LANGUAGES=en,fr")[0] == 0
    made = (folder / ".env").read_text()
    assert made.startswith("SITE_URL='https://mine.example.com'\nMY_OWN=1\nTLS=it@example.com\n")
    assert values_of(folder / ".env")["LANGUAGES"] == "en,fr"
    code, said = bin_env(folder, "SITE_URL=https://other.example.com")
    assert code == 2
    assert "SITE_URL has another value in .env already" in said
    assert (folder / ".env").read_text() == made


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("SITE_URL=http://careers.example.com", "SITE_URL must be an address such as https://"),
        ("SITE_URL=https://careers.example.com/", "SITE_URL"),
        ("SITE_URL=careers.example.com", "SITE_URL"),
        ("SITE_URL=https://localhost:8443", "HTTPS_PORT is 443"),
        ("TLS=yes", "TLS must be an e-mail address"),
        ("DEFAULT_FROM_EMAIL=careers", "DEFAULT_FROM_EMAIL"),
        ("AWS_STORAGE_BUCKET_NAME=", "AWS_STORAGE_BUCKET_NAME"),
        ("EMAIL_HOST=", "EMAIL_HOST must name the mail server"),
        ("COMPOSE_PROFILES=database,broker,archive", 'EMAIL_HOST is "mail"'),
        ("COMPOSE_PROFILES=database,broker,mail", "AWS_S3_ENDPOINT_URL"),
        ("COMPOSE_PROFILES=databse,broker,archive,mail", '"databse"'),
        ("HTTP_PORT=http", "HTTP_PORT must be a port"),
        ("HTTPS_PORT=80", "HTTP_PORT and HTTPS_PORT must differ"),
        ("EDGE_SUBNET=172.30.99.0", "EDGE_SUBNET must be a network"),
    ],
)
def test_bin_env_names_the_value_that_can_not_work(folder: Path, wrong: str, named: str) -> None:
    assert bin_env(folder, "--defaults")[0] == 0
    with (folder / ".env").open("a") as file:
        file.write(wrong + "\n")
    code, said = bin_env(folder, "--check")
    assert code == 2
    assert named in said
    # Each problem is one line.
    assert all(line.startswith("bin/env: ") for line in said.splitlines())


def test_bin_env_names_missing_values_and_secrets(folder: Path) -> None:
    assert "There is no .env. Run bin/env." in bin_env(folder, "--check")[1]
    (folder / ".env").write_text("SITE_URL=https://careers.example.com\n")
    said = bin_env(folder, "--check")[1]
    assert "TLS is missing in .env. Run bin/env." in said
    assert "secrets/SECRET_KEY is empty or missing. Run bin/secrets." in said


@pytest.mark.parametrize("given", ["NO_SUCH=1", "--force", "TLS=it's"])
def test_bin_env_refuses_what_it_does_not_know(folder: Path, given: str) -> None:
    assert bin_env(folder, "--defaults", given)[0] == 2
    assert not (folder / ".env").exists()
