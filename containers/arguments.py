"""What a service of Compose is in the words of ``podman create``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from containers.composefile import ComposeFile, Refused, Service

#: What podman's log driver understands of Docker's "json-file"; it keeps one file of this size.
LOG_OPTIONS = {"max-size"}


def fingerprint(service: Service, image_id: str, secrets: str) -> str:
    """Changes when a container must be made again: its keys, its image or its secrets changed."""
    text = json.dumps(service.keys, sort_keys=True, default=str) + image_id + secrets
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def of(
    service: Service, project: ComposeFile, directory: Path, command: list[str] | None = None
) -> list[str]:
    """All arguments after the name and the labels: options, image and command.

    Args:
        directory: the folder that relative paths of the file start from.
        command: what the container runs, instead of the service's own command.
    """
    made = [*_limits(service), *_rights(service), *_mounts(service, project, directory)]
    for network in service.get("networks", []):
        made += ["--network", f"{project.name}_{network}:alias={service.name}"]
    for name, value in service.get("environment", {}).items():
        made += ["--env", f"{name}={value}"]
    entrypoint, arguments = service.get("entrypoint"), command or service.get("command", [])
    if entrypoint:
        made += ["--entrypoint", json.dumps(entrypoint)]
    return [*made, service["image"], *arguments]


def of_a_server(service: Service) -> list[str]:
    """What only a container that keeps running has: ports, restarts, health checks."""
    made = ["--restart", str(service.get("restart", "no"))]
    for port in service.get("ports", []):
        made += ["--publish", port]
    check = service.get("healthcheck", {})
    if check:
        kind, *test = check["test"]
        if kind not in ("CMD", "CMD-SHELL"):
            raise Refused(f"docker-compose.yml: the health check of {service.name} is a {kind}.")
        # Podman runs one argument in a shell, as CMD-SHELL asks.
        made += ["--health-cmd", json.dumps(test)]
        defaults = {"interval": "30s", "timeout": "30s", "retries": 3, "start_period": "0s"}
        for name, default in defaults.items():
            made += [f"--health-{name.replace('_', '-')}", str(check.get(name, default))]
    return made


def _limits(service: Service) -> Iterator[str]:
    for key, option in {
        "mem_limit": "--memory",
        "cpus": "--cpus",
        "cpu_shares": "--cpu-shares",
        "pids_limit": "--pids-limit",
        "shm_size": "--shm-size",
    }.items():
        if key in service.keys:
            yield from (option, str(service[key]))
    yield from ("--stop-timeout", str(service.grace))
    logging = service.get("logging", {})
    yield from ("--log-driver", logging.get("driver", "json-file"))
    for name, value in logging.get("options", {}).items():
        if name in LOG_OPTIONS:
            yield from ("--log-opt", f"{name}={value}")


def _rights(service: Service) -> Iterator[str]:
    if service.get("init"):
        yield "--init"
    if service.get("read_only"):
        # Docker adds no other writable folders to a read-only container.
        yield from ("--read-only", "--read-only-tmpfs=false")
    for capability in service.get("cap_drop", []):
        yield from ("--cap-drop", capability)
    for capability in service.get("cap_add", []):
        yield from ("--cap-add", capability)
    for option in service.get("security_opt", []):
        yield from ("--security-opt", option.removesuffix(":true"))
    if "user" in service.keys:
        yield from ("--user", service["user"])


def _mounts(service: Service, project: ComposeFile, directory: Path) -> Iterator[str]:
    for path in service.get("tmpfs", []):
        yield from ("--tmpfs", path)
    for mount in service.get("volumes", []):
        source, _, target = mount.partition(":")
        if source.startswith("."):
            source = _existing(directory / source, service)
        elif source in project.volumes:
            source = f"{project.name}_{source}"
        else:
            raise Refused(
                f"docker-compose.yml: the volume {source!r} of {service.name} is unknown."
            )
        yield from ("--volume", f"{source}:{target}")
    for secret in service.get("secrets", []):
        source = _existing(directory / project.secrets[secret], service)
        yield from ("--volume", f"{source}:/run/secrets/{secret}:ro")


def _existing(path: Path, service: Service) -> str:
    if not path.exists():
        hint = " Run bin/env." if path.parent.name == "secrets" else ""
        raise Refused(f"{service.name} needs the file {path.parent.name}/{path.name}.{hint}")
    return str(path.resolve())
