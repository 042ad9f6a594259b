"""The files of a deployment fit together, and fit the product.

No container is started here: the tests read the files, as their own tools do.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from dotenv import dotenv_values

from careers.operations.sweeper import LET_FINISH
from careersite import gunicorn
from careersite.settings import env

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
EXAMPLE = dotenv_values(ROOT / ".env.example")
#: The processes of the Procfile under their names in docker-compose.yml.
OURS = {
    "web": "web",
    "cpu": "worker-cpu",
    "io": "worker-io",
    "sweeper": "sweeper",
    "beat": "beat",
    "flower": "flower",
}
#: The variables for Caddy outside of its container; Compose knows its project itself.
ELSEWHERE = {"WEB", "FLOWER", "BIND_ADDRESS", "COMPOSE_PROJECT_NAME"}


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    tools = Path(sys.executable).parent
    return subprocess.run(
        [str(tools / argv[0]), *argv[1:]],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def declared(section: str) -> set[str]:
    return set(yaml.safe_load(COMPOSE)[section])


# ── By their own tools ──────────────────────────────────────────────────────────────────


def test_compose_file_is_valid() -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    assert done.returncode == 0, done.stdout


def test_dockerfile_has_no_lint() -> None:
    done = run("hadolint", "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("further_proxies", ["", "192.0.2.1 198.51.100.0/24"])
def test_caddyfile_is_valid(further_proxies: str) -> None:
    given = {name: value for name, value in EXAMPLE.items() if value}
    done = run(
        "caddy", "validate", "--config", "Caddyfile", **given, TRUSTED_PROXIES=further_proxies
    )
    assert done.returncode == 0, done.stderr
    assert run("caddy", "fmt", "Caddyfile").stdout == (ROOT / "Caddyfile").read_text()


# ── With each other ─────────────────────────────────────────────────────────────────────


def test_compose_names_only_declared_services_networks_and_volumes() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= SERVICES.keys(), name
        assert set(service.get("networks", {})) <= declared("networks"), name
        named = {mount.partition(":")[0] for mount in service.get("volumes", [])}
        assert {mount for mount in named if not mount.startswith(".")} <= declared("volumes"), name
        if service.get("profiles"):
            # A service that depends on it must also start when it runs elsewhere.
            waiting = [other.get("depends_on", {}).get(name) for other in SERVICES.values()]
            assert all(wait["required"] is False for wait in waiting if wait), name


def test_compose_has_a_profile_for_each_service() -> None:
    profiles = [profile for service in SERVICES.values() for profile in service.get("profiles", [])]
    assert sorted(profiles) == sorted([*env.SERVICES, "demo"])
    assert sorted((EXAMPLE["COMPOSE_PROFILES"] or "").split(",")) == sorted(env.SERVICES)


def test_env_example_has_every_variable_of_compose() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)", COMPOSE))
    used |= set(re.findall(r"\{\$([A-Z_0-9]+)", (ROOT / "Caddyfile").read_text()))
    assert used - ELSEWHERE <= EXAMPLE.keys()
    assert used - ELSEWHERE <= env.NAMES | env.COMPOSE_NAMES


def test_env_example_has_only_known_variables() -> None:
    assert EXAMPLE.keys() <= env.NAMES | env.COMPOSE_NAMES
    assert EXAMPLE.keys() >= env.COMPOSE_NAMES
    assert not env.NAMES & env.COMPOSE_NAMES


def test_site_trusts_the_network_of_the_proxy() -> None:
    subnet = yaml.safe_load(COMPOSE)["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    assert subnet == "${EDGE_SUBNET:-172.30.99.0/24}"
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"].split()[0] == subnet
    assert EXAMPLE["EDGE_SUBNET"] == "172.30.99.0/24"


def test_no_file_holds_a_secret() -> None:
    secret = re.compile("PASSWORD|SECRET|TOKEN|_URL$")
    for name, value in EXAMPLE.items():
        if re.search("PASSWORD|SECRET|TOKEN", name):
            assert value == "", name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name):
                assert value.startswith(f"${{{name}:"), name


def test_only_the_proxy_is_public() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"proxy", "mail"}
    assert published["mail"] == ["127.0.0.1:8025:8025"]
    assert {name for name in SERVICES if "edge" in SERVICES[name]["networks"]} == {
        "proxy",
        "web",
        "flower",
    }


# ── With the product ────────────────────────────────────────────────────────────────────


def test_compose_commands_are_those_of_the_procfile() -> None:
    lines = (ROOT / "Procfile").read_text().splitlines()
    procfile = {name: shlex.split(line) for name, _, line in (ln.partition(":") for ln in lines)}
    assert procfile.keys() == OURS.keys()
    for name, command in procfile.items():
        assert SERVICES[OURS[name]]["command"] == command


def test_compose_gives_each_process_time_to_stop() -> None:
    given = {name: service.get("stop_grace_period", "10s") for name, service in SERVICES.items()}
    seconds = {name: int(period.removesuffix("s")) for name, period in given.items()}
    drain = env.number("DRAIN_SECONDS", 5)
    assert gunicorn.graceful_timeout - settings.DRAIN_SECONDS + drain < seconds["web"]
    for worker in ("worker-cpu", "worker-io"):
        assert seconds[worker] > settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT + 5
    assert seconds["sweeper"] > LET_FINISH + 5


def test_image_runs_the_web_process_by_default() -> None:
    (line,) = [ln for ln in (ROOT / "Dockerfile").read_text().splitlines() if ln.startswith("CMD")]
    assert json.loads(line.removeprefix("CMD ")) == SERVICES["web"]["command"]


def test_our_containers_can_write_only_to_their_volumes() -> None:
    for name in (*OURS.values(), "migrate", "bucket", "seed"):
        service = SERVICES[name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["tmpfs"] == ["/tmp"], name
    assert re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.M) == ["10001"]


def test_image_contains_only_files_of_the_product() -> None:
    first, *rest = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    kept = {line.removeprefix("!") for line in rest if line.startswith("!")}
    assert first == "*"
    runs = {"careers", "home", "site", "static", "templates", "manage.py", "requirements.txt"}
    assert runs <= kept
    assert not kept & {".env", ".git", "tests", "var", "bench"}


def test_postgresql_logs_no_parameters() -> None:
    command = SERVICES["postgres"]["command"]
    assert "log_parameter_max_length=0" in command
    assert "log_parameter_max_length_on_error=0" in command


def test_broker_persists_messages_and_refuses_when_full() -> None:
    command = SERVICES["valkey"]["command"][-1]
    # A shell between would keep the signal that asks it to stop.
    assert "\nexec valkey-server - " in command
    for option in ("requirepass", "--appendonly yes", "--maxmemory-policy noeviction"):
        assert option in command


def test_env_example_is_complete_for_production(tmp_path: Path) -> None:
    """The environment of the web container, with the empty secrets filled in."""
    filled = tmp_path / ".env"
    empty = "SECRET_KEY|POSTGRES_PASSWORD|REDIS_PASSWORD|AWS_SECRET_ACCESS_KEY|FLOWER_PASSWORD"
    example = (ROOT / ".env.example").read_text()
    filled.write_text(re.sub(rf"^({empty})=$", r"\1=filled-in", example, flags=re.MULTILINE))
    known = {name: value or "" for name, value in dotenv_values(filled).items()}
    given = {
        name: re.sub(
            r"\$\{([A-Z_0-9]+)(?::[-?][^}]*)?\}", lambda found: known.get(found[1], ""), value
        )
        for name, value in SERVICES["web"]["environment"].items()
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "careersite.settings.production",
            **given,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert given["DATABASE_URL"] == "postgres://careers:filled-in@postgres:5432/careers"
    assert given["TRUSTED_PROXIES"].strip() == "172.30.99.0/24"


def test_compose_requires_only_variables_that_every_deployment_needs() -> None:
    """Compose demands a value even if its service runs elsewhere."""
    demanded = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+):\?", COMPOSE))
    assert demanded == {
        "SITE_URL",
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "AWS_STORAGE_BUCKET_NAME",
        "DEFAULT_FROM_EMAIL",
        "FLOWER_PASSWORD",
    }


def test_check_of_a_deployment_has_no_warning(tmp_path: Path) -> None:
    """Django's ``check --deploy``, with settings as an operator writes them."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "careersite.settings.production",
            "SITE_URL": "https://careers.example.com",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": "postgres://careers:secret@db.example.com/careers",
            "REDIS_URL": "rediss://:secret@redis.example.com:6379/0",
            "AWS_STORAGE_BUCKET_NAME": "careers",
            "EMAIL_HOST": "smtp.example.com",
            "DEFAULT_FROM_EMAIL": "careers@example.com",
            "TRUSTED_PROXIES": "10.0.0.0/8",
            "FLOWER_PASSWORD": "secret",
            "OIDC_ISSUER": "https://login.example.com",
            "OIDC_CLIENT_ID": "careers",
            "OIDC_CLIENT_SECRET": "secret",
            "OIDC_GROUPS": "careers-hr=HR lead",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
