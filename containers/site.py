"""One deployed project, and what can be seen of it from outside: rows, mails, pages."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tarfile
import urllib.request
from collections import Counter
from io import BytesIO
from pathlib import Path

from containers.engine import Engine, Failed
from containers.project import Project
from containers.visitor import Receipt, Visitor, until

ROOT = Path(__file__).resolve().parents[1]
HTTPS_PORT, HTTP_PORT = 18443, 18080
ADDRESS = f"https://localhost:{HTTPS_PORT}"
#: Values beside the defaults of .env.example.
GIVEN = {
    "SITE_URL": ADDRESS,
    "HTTPS_PORT": str(HTTPS_PORT),
    "HTTP_PORT": str(HTTP_PORT),
    # All applicants here come from one address.
    "APPLICATIONS_PER_NETWORK": "1000/minute",
    "APPLICATIONS_PER_JOB": "1000/minute",
}
CATCHER = "http://127.0.0.1:8025/api/v1/messages?limit=1000"
HR_PASSWORD = "hanna-of-tests"


class Site:
    """A copy of the project's files in a folder of its own, and the containers made from it."""

    def __init__(self, engine: Engine, directory: Path, name: str = "") -> None:
        self.engine, self.directory = engine, directory
        self.project = Project(engine, directory, name)
        self.visitor = Visitor(ADDRESS, directory / "authority.crt")

    # ── Files ────────────────────────────────────────────────────────────────────────────

    def checkout(self, commit: str = "") -> None:
        """Write the files of the present tree, or of a commit, over what is there."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if commit:
            archive = subprocess.run(
                ["git", "archive", "--format=tar", commit],
                cwd=ROOT,
                capture_output=True,
                check=True,
            )
            with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
                files.extractall(self.directory, filter="data")
            return
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).exists():
                (self.directory / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.directory / name)

    def configure(self, **given: str) -> str:
        """Run ``bin/env``; returns what it says."""
        values = [f"{name}={value}" for name, value in {**GIVEN, **given}.items()]
        done = subprocess.run(
            [self.directory / "bin/env", "--defaults", *values], capture_output=True, text=True
        )
        if done.returncode:
            raise Failed(f"bin/env: {done.stderr}")
        return done.stderr

    def set_value(self, name: str, value: str) -> None:
        """Change one line of .env, as an operator does in an editor."""
        file = self.directory / ".env"
        lines = [line for line in file.read_text().splitlines() if not line.startswith(f"{name}=")]
        file.write_text("\n".join([*lines, f"{name}={value}", ""]))

    def secret(self, name: str) -> str:
        return (self.directory / "secrets" / name).read_text()

    # ── From outside ─────────────────────────────────────────────────────────────────────

    def trust_the_proxy(self) -> None:
        """Fetch the certificate of the authority that Caddy has made."""
        path = "/data/caddy/pki/authorities/local/root.crt"
        self.visitor.authority.write_text(self.project.execute("proxy", "cat", path))

    def seed(self) -> None:
        """``docker compose run --rm seed``, with a password for HR."""
        code, output = self.project.run_once("seed", environ={"DEMO_PASSWORD": HR_PASSWORD})
        if code:
            raise Failed(f"seed_demo: {output}")

    def query(self, statement: str) -> list[list[str]]:
        """The rows that a statement finds in the database."""
        command = ["psql", "-h", "/tmp", "-U", "careers", "-AtF", "\t", "-c", statement, "careers"]
        return [
            line.split("\t") for line in self.project.execute("postgres", *command).splitlines()
        ]

    def states(self, receipts: list[Receipt]) -> Counter[str]:
        """The states of all steps of these applications; "lost" for one that is not stored."""
        known = ", ".join(f"'{receipt.secret}'" for receipt in receipts)
        rows = self.query(
            "SELECT a.receipt_secret, coalesce(s.state, 'none') FROM careers_application a"
            " LEFT JOIN careers_step s ON s.application_id = a.id AND s.replaced_by_id IS NULL"
            f" WHERE a.receipt_secret IN ({known or 'NULL'})"
        )
        found = Counter(state for _secret, state in rows)
        found["lost"] += len({receipt.secret for receipt in receipts} - {row[0] for row in rows})
        return +found

    def wait_until_done(self, receipts: list[Receipt], seconds: float = 240) -> Counter[str]:
        """Wait until every step has ended well, or waits for a person; returns the states."""
        ends = {"succeeded", "uncertain", "cancelled"}
        until(
            lambda: self.states(receipts).keys() <= ends,
            seconds,
            f"the steps of {len(receipts)} applications do not end",
        )
        return self.states(receipts)

    def mails(self) -> Counter[str]:
        """How often the catcher got each mail, by Message-ID."""
        with urllib.request.urlopen(CATCHER, timeout=30) as answer:
            return Counter(mail["MessageID"] for mail in json.load(answer)["messages"])

    def kill(self, service: str) -> None:
        """``kill -9`` the first process of a container, so that the restart policy counts."""
        name = self.project.containers(service)[0]
        os.kill(self.project.state(name)["Pid"], signal.SIGKILL)

    def down(self, *, volumes: bool = False) -> None:
        """``docker compose down``; with ``volumes`` nothing of the project stays."""
        self.project.down(volumes=volumes)
