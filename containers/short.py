"""The shortened form of the check, for every run of the tests: all but the containers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from containers import arguments, composefile, engine
from containers.composefile import ComposeFile, Refused
from containers.project import values_of

ROOT = Path(__file__).resolve().parents[1]
FILES = (".env.example", "Caddyfile", "docker-compose.yml", "bin/env", "bin/secrets")


def deploy(directory: Path) -> ComposeFile:
    """Fill in .env and secrets/ in a folder, and read the file that they belong to.

    Raises:
        Refused: docker-compose.yml asks for something that ``containers`` can't do.
    """
    for name in FILES:
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, directory / name)
    done = subprocess.run(
        [directory / "bin/env", "--defaults"], capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise Refused(done.stderr)
    file = composefile.load(directory / "docker-compose.yml", values_of(directory / ".env"))
    for service in file.all_services.values():
        arguments.of(service, file, directory)
        arguments.of_a_server(service)
    return file


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        file = deploy(Path(directory))
    print(f"docker-compose.yml can be carried out, in this order: {', '.join(file.services)}.")
    missing = engine.missing()
    reason = f"{missing[0]} is not installed" if missing else "that takes several minutes"
    print(f"LEFT OUT: no image was built and no container started, because {reason}.")
    print("bin/compose-check does that.")
    return 0
