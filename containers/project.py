"""``docker compose`` with podman: up, run, stop, down, for an unchanged ``docker-compose.yml``.

podman-compose ignores ``service_healthy`` with the podman of Debian 12, and makes all containers
again when one of them changes. An upgrade would then stop everything at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from containers import arguments, composefile
from containers.composefile import ComposeFile, Refused, Service
from containers.engine import Engine, Failed
from containers.health import Health

#: Seconds that a container may take until those that wait for it start.
PATIENCE = 300


def values_of(env: Path) -> dict[str, str]:
    """The values in a file ``.env``; none if there is no file."""
    return {name: value or "" for name, value in dotenv_values(env).items()}


class Project:
    """One directory with ``docker-compose.yml``, ``.env`` and ``secrets/``.

    Args:
        directory: of the three.
        name: instead of the one in the file, as ``COMPOSE_PROJECT_NAME``.
    """

    def __init__(self, engine: Engine, directory: Path, name: str = "") -> None:
        self.engine, self.directory, self.name_given = engine, directory, name
        self.health = Health(engine)
        #: Seconds from the start of a container until it was ready, by service.
        self.ready_after: dict[str, float] = {}

    def file(self) -> ComposeFile:
        environ = values_of(self.directory / ".env")
        if self.name_given:
            environ["COMPOSE_PROJECT_NAME"] = self.name_given
        return composefile.load(self.directory / "docker-compose.yml", environ, self.name_given)

    # ── Commands ─────────────────────────────────────────────────────────────────────────

    def build(self) -> None:
        file = self.file()
        done = set()
        for service in file.services.values():
            if "build" not in service.keys or service["image"] in done:
                continue
            given = [
                part
                for name, value in service["build"].get("args", {}).items()
                for part in ("--build-arg", f"{name}={value}")
            ]
            self.engine.build(service["image"], self.directory / service["build"]["context"], given)
            done.add(service["image"])

    def up(self, *only: str, scale: Mapping[str, int] | None = None, wait: bool = True) -> None:
        """Start what does not run, and make again what has changed.

        Args:
            only: the services; all without it.
            scale: how many containers of a service.
            wait: for the health checks of all containers, at the end.

        Raises:
            Refused: the file or a value can't be used.
            Failed: a container that others wait for did not become ready; with its last words.
        """
        file = self.file()
        for service in file.services.values():
            arguments.of(service, file, self.directory)  # everything is refused before the start
        self._make_networks_and_volumes(file)
        for service in file.services.values():
            if only and service.name not in only:
                continue
            for other, condition in file.needs(service).items():
                if not only or other in only:
                    self._wait_for(file, file.services[other], condition)
            wanted = range(1, (scale or {}).get(service.name, 1) + 1)
            names = [self._start(file, service, number) for number in wanted]
            for name in set(self.containers(service.name)) - set(names):
                self._remove(name)
        if wait:
            for service in file.services.values():
                if service.get("healthcheck") and (not only or service.name in only):
                    self._wait_for(file, service, "service_healthy")

    def run_once(
        self, service: str, *command: str, environ: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """``docker compose run --rm``: exit code and output."""
        file = self.file()
        made = file.all_services[service]
        given = [f"--env={name}={value}" for name, value in (environ or {}).items()]
        done = self.engine.start(
            "run",
            "--rm",
            "--label",
            f"compose={file.name}",
            *given,
            *arguments.of(made, file, self.directory, list(command) or None),
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self) -> None:
        """Stop all containers in the reverse order of their start, each with its grace period."""
        file = self.file()
        for service in reversed([*file.services.values()]):
            for name in self.containers(service.name):
                self.health.forget(name)
                self.engine.start("stop", name)

    def down(self, *, volumes: bool = False) -> None:
        self.stop()
        file = self.file()
        for name in self.containers():
            self.engine.run("rm", "--force", "--volumes", name)
        for network in file.networks:
            self.engine.start("network", "rm", "--force", f"{file.name}_{network}")
        if volumes:
            for volume in file.volumes:
                self.engine.start("volume", "rm", "--force", f"{file.name}_{volume}")

    # ── What runs ────────────────────────────────────────────────────────────────────────

    def containers(self, service: str = "") -> list[str]:
        """The names of the containers, or of those of one service."""
        labels = [f"label=compose={self.file().name}"]
        labels += [f"label=service={service}"] if service else ["label=service"]
        filters = [part for label in labels for part in ("--filter", label)]
        listed = self.engine.run("ps", "--all", *filters, "--format", "{{.Names}}")
        return sorted(listed.split())

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.engine.inspect(name)[0]["State"]
        return found

    def logs(self, service: str) -> str:
        return "\n".join(
            done.stdout + done.stderr
            for name in self.containers(service)
            for done in [self.engine.start("logs", name)]
        )

    def execute(self, service: str, *command: str, text: str | None = None) -> str:
        """Run a command in the first container of a service; returns its output."""
        name = self.containers(service)[0]
        return self.engine.run("exec", "--interactive", name, *command, text=text)

    # ── How ──────────────────────────────────────────────────────────────────────────────

    def _make_networks_and_volumes(self, file: ComposeFile) -> None:
        for name, subnet in file.networks.items():
            full = f"{file.name}_{name}"
            if self.engine.start("network", "exists", full).returncode:
                given = ["--subnet", subnet] if subnet else []
                self.engine.run("network", "create", *given, full)
        for name in file.volumes:
            full = f"{file.name}_{name}"
            if self.engine.start("volume", "exists", full).returncode:
                self.engine.run("volume", "create", full)

    def _remove(self, name: str) -> None:
        """Stop a container within its grace period, and remove it."""
        self.health.forget(name)
        self.engine.start("stop", name)
        self.engine.run("rm", "--force", name)

    def _start(self, file: ComposeFile, service: Service, number: int) -> str:
        """Start one container of a service; returns its name."""
        name = service.get("container_name", f"{file.name}-{service.name}-{number}")
        if number > 1 and "container_name" in service.keys:
            raise Refused(f"{service.name} has a fixed name, so it can't be scaled.")
        image = self._image(service)
        secrets = "".join(
            (self.directory / file.secrets[secret]).read_text()
            for secret in service.get("secrets", [])
        )
        mark = arguments.fingerprint(service, image, hashlib.sha256(secrets.encode()).hexdigest())
        found = self.engine.start(
            "container", "inspect", name, "--format", "{{json .Config.Labels}}"
        )
        if found.returncode == 0:
            if mark in found.stdout and service.name != "migrate":
                self._run(service, name)
                return str(name)
            self._remove(name)
        made = [
            "--name",
            name,
            "--label",
            f"compose={file.name}",
            "--label",
            f"service={service.name}",
            "--label",
            f"fingerprint={mark}",
            *arguments.of_a_server(service),
            *arguments.of(service, file, self.directory),
        ]
        self.engine.run("create", *made)
        self._run(service, name)
        return str(name)

    def _run(self, service: Service, name: str) -> None:
        if not self.state(name)["Running"]:
            self.health.forget(name)
        elif self.health.is_watched(name):
            return
        done = self.engine.start("start", name)
        if done.returncode:
            raise Refused(_reason(service, done.stderr.strip()))
        check = service.get("healthcheck")
        if check:
            self.health.watch(name, service.name, composefile.seconds(check.get("interval", "30s")))

    def _image(self, service: Service) -> str:
        name = service["image"]
        if not self.engine.has_image(name):
            raise Refused(f"{service.name} needs the image {name}, which is not here.")
        return self.engine.image_id(name)

    def _wait_for(self, file: ComposeFile, service: Service, condition: str) -> None:
        deadline = time.monotonic() + PATIENCE
        for name in self.containers(service.name):
            while not self._is(name, service, condition):
                if time.monotonic() > deadline:
                    raise Failed(f"{service.name} is not ready:\n{self.logs(service.name)[-2000:]}")
                time.sleep(0.3)

    def _is(self, name: str, service: Service, condition: str) -> bool:
        state = self.state(name)
        if condition == "service_started":
            return bool(state["Running"])
        if condition == "service_completed_successfully":
            if state["Status"] == "exited" and state["ExitCode"]:
                words = self.logs(service.name).strip()[-2000:]
                raise Failed(f"{service.name} exited with {state['ExitCode']}:\n{words}")
            return bool(state["Status"] == "exited")
        after = self.health.healthy_after(name)
        if after is not None:
            self.ready_after.setdefault(service.name, after)
        return after is not None


def _reason(service: Service, error: str) -> str:
    if "address already in use" in error or "cannot bind" in error.lower():
        ports = ", ".join(port.rpartition(":")[0] for port in service.get("ports", []))
        return f"A port of {service.name} is in use: {ports}. Change HTTP_PORT or HTTPS_PORT."
    return f"{service.name} does not start: {error}"
