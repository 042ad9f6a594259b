"""The files of a deployment fit together, and fit the product.

No container is started here: the tests read the files, as their own tools do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import pytest
import yaml
from django.conf import settings
from dotenv import dotenv_values

from careers.operations.sweeper import LET_FINISH
from careersite import gunicorn
from careersite.settings import env
from careersite.settings.processes import PROCESSES

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
#: The secrets of Compose: files of this name in secrets/.
SECRETS: dict[str, Any] = yaml.safe_load(COMPOSE)["secrets"]
#: Those that only services beside the site read.
OF_SERVICES = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
KEYS = {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "HASH_KEY", "HASH_KEY_FALLBACKS"}
#: The secrets of each part of ``PROCESSES``.
PARTS = {
    "keys": KEYS,
    "database": {"DATABASE_URL"},
    "broker": {"REDIS_URL"},
    "archive": {"AWS_SECRET_ACCESS_KEY"},
    "mail": {"EMAIL_API_KEY", "EMAIL_HOST_PASSWORD"},
}
#: What a process has besides the parts that it needs.
FURTHER = {
    "web": {"EMAIL_WEBHOOK_SECRET", "OIDC_CLIENT_SECRET", "FLOWER_PASSWORD", "METRICS_TOKEN"},
    "flower": {"FLOWER_PASSWORD"},
    "seed": {"ADMIN_PASSWORD"},
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
    assert sorted(profiles) == sorted([*env.SERVICES, "demo", "scanner"])
    assert sorted((EXAMPLE["COMPOSE_PROFILES"] or "").split(",")) == sorted(env.SERVICES)


def test_env_example_has_every_variable_of_compose() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+)", COMPOSE))
    used |= set(re.findall(r"\{\$([A-Z_0-9]+)", (ROOT / "Caddyfile").read_text()))
    assert used - ELSEWHERE <= EXAMPLE.keys()
    assert used - ELSEWHERE <= env.NAMES | env.COMPOSE_NAMES


def test_env_example_has_only_known_variables() -> None:
    assert EXAMPLE.keys() <= env.NAMES | env.COMPOSE_NAMES
    assert EXAMPLE.keys() >= env.COMPOSE_NAMES - OF_SERVICES
    assert not env.NAMES & env.COMPOSE_NAMES


def test_site_trusts_the_network_of_the_proxy() -> None:
    subnet = yaml.safe_load(COMPOSE)["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    assert subnet == "${EDGE_SUBNET:-172.30.99.0/24}"
    assert SERVICES["web"]["environment"]["TRUSTED_PROXIES"].split()[0] == subnet
    assert EXAMPLE["EDGE_SUBNET"] == "172.30.99.0/24"


def test_no_file_holds_a_secret_and_no_environment_names_one() -> None:
    secret = re.compile("PASSWORD|SECRET|TOKEN|HASH_KEY|API_KEY|DATABASE_URL|REDIS_URL")
    assert [name for name in EXAMPLE if secret.search(name)] == []
    for service in SERVICES.values():
        given = service.get("secrets", [])
        for name, value in service.get("environment", {}).items():
            if secret.search(name):
                assert name.endswith("_FILE"), name
                mounted = name.removesuffix("_FILE")
                assert value == f"/run/secrets/{mounted}"
                assert mounted in given


def test_each_container_has_only_the_secrets_that_it_uses() -> None:
    ours = [*OURS.values(), "migrate", "bucket", "seed"]
    assert sorted(ours) == sorted(PROCESSES)
    for name in ours:
        wanted = set().union(*(PARTS[part] for part in PROCESSES[name]))
        wanted |= FURTHER.get(name, set())
        assert set(SERVICES[name]["secrets"]) == wanted, name
        environment = SERVICES[name]["environment"]
        assert environment["PROCESS"] == name
        assert {n.removesuffix("_FILE") for n in environment if n.endswith("_FILE")} == wanted, name
    others = {name: service.get("secrets", []) for name, service in SERVICES.items()}
    assert {name: others[name] for name in others.keys() - set(ours)} == {
        "postgres": ["POSTGRES_PASSWORD"],
        "valkey": ["REDIS_PASSWORD"],
        "s3": ["AWS_SECRET_ACCESS_KEY"],
        "clamav": [],
        "proxy": [],
        "mail": [],
    }
    assert {name: {"file": f"./secrets/{name}"} for name in SECRETS} == SECRETS


def test_every_container_has_limits() -> None:
    megabytes = {}
    for name, service in SERVICES.items():
        size, unit = re.fullmatch(r"(\d+)([mg])", service["mem_limit"]).groups()  # type: ignore[union-attr]
        megabytes[name] = int(size) * (1024 if unit == "g" else 1)
        assert service["cpus"] >= 1, name
        assert service["pids_limit"] >= 100, name
    # One PDF besides the process, and for the broker a copy of its data.
    for name in ("worker-cpu", "sweeper"):
        assert megabytes[name] > settings.PDF_MEMORY_LIMIT + 300
    assert megabytes["valkey"] > 2 * 256


def test_every_image_has_an_exact_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for image in set(images) - {"${IMAGE:-careersite}"}:
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z-]+)?$", image), image
        # A version with two parts is exact only where the project has no third.
        assert re.search(r":v?\d+\.\d+\.\d+", image) or "postgres" in image or "weed" in image


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


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``bin/secrets`` makes beside a new .env."""
    here = tmp_path_factory.mktemp("deployed")
    (here / "bin").mkdir()
    shutil.copy(ROOT / "bin/secrets", here / "bin/secrets")
    shutil.copy(ROOT / ".env.example", here / ".env")
    subprocess.run([here / "bin/secrets"], check=True, timeout=60)
    return here / "secrets"


def test_bin_secrets_makes_a_file_for_each_secret(secrets: Path) -> None:
    made = {file.name: file.read_text() for file in secrets.iterdir()}
    assert made.keys() == SECRETS.keys()
    random = [text for text in made.values() if re.fullmatch("[0-9a-f]{64}", text)]
    assert len(set(random)) == 8
    password = made["POSTGRES_PASSWORD"]
    assert made["DATABASE_URL"] == f"postgres://careers:{password}@postgres:5432/careers"
    assert made["REDIS_URL"] == f"redis://:{made['REDIS_PASSWORD']}@valkey:6379/0"
    # Nobody else on the host can open the folder; the user of the containers reads the files.
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o644}
    subprocess.run([secrets.parent / "bin/secrets"], check=True, timeout=60)
    assert {file.name: file.read_text() for file in secrets.iterdir()} == made


def test_bin_secrets_takes_over_what_an_earlier_env_holds(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin/secrets", tmp_path / "bin/secrets")
    (tmp_path / ".env").write_text(
        "SECRET_KEY=the old key\nPOSTGRES_PASSWORD=pg\nEMAIL_HOST_PASSWORD='m=il'\n"
        "DATABASE_URL=postgres://careers:${POSTGRES_PASSWORD}@db:5432/careers\nREDIS_PASSWORD=\n"
    )
    subprocess.run([tmp_path / "bin/secrets"], check=True, timeout=60)
    made = {file.name: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    assert made["SECRET_KEY"] == "the old key"
    assert made["EMAIL_HOST_PASSWORD"] == "m=il"
    assert made["DATABASE_URL"] == "postgres://careers:pg@db:5432/careers"
    assert len(made["REDIS_PASSWORD"]) == 64
    # Stored hashes were made with SECRET_KEY, and old processes still run during the upgrade.
    assert made["HASH_KEY"] == ""
    assert made["AWS_SECRET_ACCESS_KEY"] == ""


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_each_container_starts_with_its_own_settings(
    secrets: Path, process: str, tmp_path: Path
) -> None:
    given = {
        name: re.sub(
            r"\$\{([A-Z_0-9]+)(?::[-?]([^}]*))?\}",
            lambda found: EXAMPLE.get(found[1]) or "",
            str(value).replace("/run/secrets/", f"{secrets}/"),
        )
        for name, value in SERVICES[process]["environment"].items()
    }
    code = (
        "from careersite.settings import production as found; "
        "print(found.TRUSTED_PROXIES, found.DATABASES['default']['ENGINE'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **given, "VAR_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "172.30.99.0/24" in done.stdout
    assert ("postgresql" in done.stdout) == ("database" in PROCESSES[process])


def test_compose_requires_only_variables_that_every_deployment_needs() -> None:
    """Compose demands a value even if its service runs elsewhere."""
    demanded = set(re.findall(r"(?<!\$)\$\{([A-Z_0-9]+):\?", COMPOSE))
    assert demanded == {
        "SITE_URL",
        "AWS_STORAGE_BUCKET_NAME",
        "DEFAULT_FROM_EMAIL",
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
            "SECRET_KEY": token_urlsafe(50),
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
