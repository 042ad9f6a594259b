"""Podman with a store and a configuration of its own; nothing outside of ``var/`` changes.

Docker makes the same of a Dockerfile, but it needs a daemon that many machines of CI lack.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from containers.composefile import Refused

PACKAGES = (
    "podman",
    "buildah",
    "runc",
    "conmon",
    "netavark",
    "aardvark-dns",
    "iptables",
    "catatonit",
    "debootstrap",
)
CONFIGURATION = """\
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=2000:2000"]
"""
#: Docker Hub's name of an image without a registry.
HUB = "docker.io"


def missing() -> list[str]:
    """The Debian packages that are not installed."""
    programs = {
        "podman": "podman",
        "buildah": "buildah",
        "runc": "runc",
        "conmon": "conmon",
        "netavark": "/usr/lib/podman/netavark",
        "aardvark-dns": "/usr/lib/podman/aardvark-dns",
        "iptables": "iptables",
        "catatonit": "/usr/libexec/podman/catatonit",
        "debootstrap": "debootstrap",
    }
    search = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return [package for package in PACKAGES if not shutil.which(programs[package], path=search)]


def install() -> None:
    """Install Debian's packages for containers, if they are missing.

    Raises:
        Refused: there is no apt here, or it fails; the message names the command to type.
    """
    needed = missing()
    if not needed:
        return
    print(f"Installing system packages: {' '.join(needed)} …", flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    lock = ("-o", "DPkg::Lock::Timeout=120")
    for command in (("update",), ("install", "-y", "--no-install-recommends", *needed)):
        try:
            done = subprocess.run(
                ["apt-get", *lock, *command], env=environ, capture_output=True, text=True
            )
        except FileNotFoundError:
            raise Refused(f"Install these programs: {', '.join(needed)}.") from None
        if done.returncode:
            raise Refused(f"This failed: apt-get {' '.join(command)}\n{done.stderr[-500:]}")


class Failed(Exception):
    """A command of the engine failed; the message holds the command and the end of its output."""


class Engine:
    """Podman, run by root.

    Args:
        directory: for images, containers, volumes and networks.
    """

    def __init__(self, directory: Path) -> None:
        if os.geteuid():
            raise Refused(
                "bin/compose-check needs root, because Compose publishes the ports 80 and 443."
            )
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "containers.conf").write_text(CONFIGURATION)
        (directory / "registries.conf").write_text(f'unqualified-search-registries = ["{HUB}"]\n')
        self.environ = {
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "CONTAINERS_CONF": str(directory / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(directory / "registries.conf"),
            # A chroot needs no privilege that a virtual machine of CI may lack.
            "BUILDAH_ISOLATION": "chroot",
            # Podman would ask systemd to run the health checks; ``containers.health`` runs them.
            "DISABLE_HC_SYSTEMD": "true",
        }
        self.options = [
            "--root",
            str(directory / "store"),
            "--runroot",
            # A socket below it must have a short path.
            f"/run/compose-check-{directory.stat().st_ino}",
            "--storage-driver",
            "overlay",
            "--network-config-dir",
            str(directory / "networks"),
        ]

    def start(
        self, *arguments: str, timeout: float = 600, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of podman; its result may be a failure."""
        return subprocess.run(
            ["podman", *self.options, *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            input=text,
            timeout=timeout,
        )

    def run(self, *arguments: str, timeout: float = 600, text: str | None = None) -> str:
        """Run a command of podman; returns its output.

        Raises:
            Failed: the command failed.
        """
        done = self.start(*arguments, timeout=timeout, text=text)
        if done.returncode:
            end = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise Failed(f"podman {' '.join(arguments)[:200]}\n{end}")
        return done.stdout.strip()

    def inspect(self, *names: str) -> list[dict[str, Any]]:
        """What podman knows of these containers."""
        found: list[dict[str, Any]] = json.loads(self.run("container", "inspect", *names))
        return found

    def has_image(self, name: str) -> bool:
        return self.start("image", "exists", name).returncode == 0

    def image_id(self, name: str) -> str:
        return self.run("image", "inspect", "--format", "{{.Id}}", name)

    def build(self, tag: str, context: Path, arguments: Sequence[str] = ()) -> None:
        """Build the Dockerfile in ``context``."""
        self.run(
            "build",
            "--network=host",
            "--layers",
            *arguments,
            "--tag",
            tag,
            str(context),
            timeout=3600,
        )

    def remove_everything(self) -> None:
        """Delete the store, with all images, containers and volumes."""
        self.start("rm", "--all", "--force", "--time", "0")
        self.start("system", "reset", "--force")
        shutil.rmtree(self.directory, ignore_errors=True)
