"""Read ``docker-compose.yml`` as Docker Compose does, and refuse what this package can't do.

Source: the Compose specification, https://github.com/compose-spec/compose-spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: The keys of each part of the file that ``containers.project`` carries out.
KNOWN = {
    "the file": {"name", "services", "networks", "volumes", "secrets"},
    "service": {
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "container_name",
        "cpu_shares",
        "cpus",
        "depends_on",
        "entrypoint",
        "environment",
        "healthcheck",
        "image",
        "init",
        "logging",
        "mem_limit",
        "networks",
        "pids_limit",
        "ports",
        "profiles",
        "read_only",
        "restart",
        "secrets",
        "security_opt",
        "shm_size",
        "stop_grace_period",
        "tmpfs",
        "user",
        "volumes",
    },
    "build": {"context", "args"},
    "depends_on": {"condition", "required"},
    "healthcheck": {"test", "interval", "timeout", "retries", "start_period"},
    "logging": {"driver", "options"},
    "network": {"ipam"},
    "secret": {"file"},
    "volume": set(),
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
VARIABLE = re.compile(
    r"\$(?:(?P<escaped>\$)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?])(?P<rest>[^}]*))?\})"
)
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Refused(Exception):
    """The file, or a value for it, can't be used; the message says what to do, in one sentence."""


@dataclass(frozen=True)
class Service:
    """One service after interpolation: the keys of the file, with Compose's defaults."""

    name: str
    keys: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.keys[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.keys.get(key, default)

    @property
    def grace(self) -> int:
        """Seconds between SIGTERM and SIGKILL."""
        return round(seconds(str(self.get("stop_grace_period", "10s"))))


@dataclass(frozen=True)
class ComposeFile:
    """The services that the profiles choose, in an order in which they can start."""

    name: str
    services: Mapping[str, Service]
    #: Also those that no profile chose: ``run`` may name one.
    all_services: Mapping[str, Service]
    networks: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)

    def needs(self, service: Service) -> dict[str, str]:
        """The services that it waits for, each with its condition.

        Raises:
            Refused: a service that it requires is not started.
        """
        found = {}
        for name, wait in service.get("depends_on", {}).items():
            if name in self.services:
                found[name] = wait["condition"]
            elif wait.get("required", True):
                raise Refused(f"{service.name} depends on {name}, which no profile starts.")
        return found


def seconds(duration: str) -> float:
    """The seconds of a duration such as ``1m30s``."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise Refused(f"{duration!r} is not a duration such as 1m30s.")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def load(path: Path, environ: Mapping[str, str], project: str = "") -> ComposeFile:
    """Read the file with the values of ``.env``.

    Args:
        environ: the variables for ``${…}``, ``COMPOSE_PROFILES`` among them.
        project: the name of the project, instead of the one in the file.

    Raises:
        Refused: a key is not known here, or a variable that the file demands has no value.
    """
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    named = {key: part for key, part in text.items() if not key.startswith("x-")}
    name = project or named.get("name", path.parent.name)
    named = _interpolated(named, {**environ, "COMPOSE_PROJECT_NAME": name})
    _check("the file", named, "it")
    services = {key: _service(key, value) for key, value in named["services"].items()}
    chosen = set(filter(None, environ.get("COMPOSE_PROFILES", "").split(",")))
    started = {
        key: service
        for key, service in services.items()
        if not service.get("profiles") or chosen & set(service["profiles"])
    }
    networks = {key: _subnet(key, value or {}) for key, value in named.get("networks", {}).items()}
    for volume, keys in named.get("volumes", {}).items():
        _check("volume", keys or {}, volume)
    for secret, keys in named.get("secrets", {}).items():
        _check("secret", keys, secret)
    return ComposeFile(
        name=name,
        services=dict(_in_order(started)),
        all_services=services,
        networks=networks,
        volumes=tuple(named.get("volumes", {})),
        secrets={key: keys["file"] for key, keys in named.get("secrets", {}).items()},
    )


def _check(part: str, keys: Mapping[str, Any], where: str) -> None:
    unknown = sorted(keys.keys() - KNOWN[part])
    if unknown:
        raise Refused(
            f"docker-compose.yml: {where} has the key {unknown[0]!r}, which bin/compose-check "
            f"does not know; add it to containers/composefile.py and containers/arguments.py."
        )


def _service(name: str, keys: dict[str, Any]) -> Service:
    _check("service", keys, f"the service {name!r}")
    for part in ("build", "healthcheck", "logging"):
        _check(part, keys.get(part, {}), f"{part} of {name!r}")
    for wait in keys.get("depends_on", {}).values():
        _check("depends_on", wait, f"depends_on of {name!r}")
        if wait["condition"] not in CONDITIONS:
            raise Refused(f"docker-compose.yml: {name!r} waits for {wait['condition']!r}.")
    return Service(name, keys)


def _subnet(name: str, keys: dict[str, Any]) -> str:
    _check("network", keys, f"the network {name!r}")
    configurations = keys.get("ipam", {}).get("config", [])
    return configurations[0]["subnet"] if configurations else ""


def _in_order(services: dict[str, Service]) -> Iterator[tuple[str, Service]]:
    waiting = dict(services)
    while waiting:
        free = [
            name
            for name, service in waiting.items()
            if not waiting.keys() & service.get("depends_on", {}).keys()
        ]
        if not free:
            raise Refused(f"docker-compose.yml: {', '.join(waiting)} wait for each other.")
        for name in free:
            yield name, waiting.pop(name)


def _interpolated(value: Any, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolated(part, environ) for key, part in value.items()}
    if isinstance(value, list):
        return [_interpolated(part, environ) for part in value]
    return interpolate(value, environ) if isinstance(value, str) else value


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with the values of its variables.

    Raises:
        Refused: a variable that the text demands has no value; the message names it.
    """

    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "$"
        value, operator = environ.get(found["name"]), found["operator"] or ""
        if value is None or (":" in operator and not value):
            if "?" in operator:
                raise Refused(f"{found['name']} {found['rest']}.")
            value = found["rest"] if "-" in operator else ""
        return value

    return VARIABLE.sub(replace, text)
