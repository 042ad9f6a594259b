"""The backup of one project, restored into another, and the start of an earlier release."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from containers import stand_ins
from containers.journeys import all_have_receipts, everybody_is_served, expect
from containers.site import GIVEN, Site

RCLONE = "rclone/rclone"
DUMP = ("pg_dump", "-U", "careers", "--format=custom", "careers")
RESTORE = ("pg_restore", "-U", "careers", "--clean", "--if-exists", "--no-owner", "-d", "careers")
ROWS = (
    "SELECT reference, receipt_secret, (SELECT count(*) FROM careers_step s"
    " WHERE s.application_id = a.id) FROM careers_application a ORDER BY reference"
)


def back_up(site: Site, backup: Path) -> None:
    """As *Back up* in docs/operations.md says for Compose: the database first, then the bucket."""
    backup.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = site.project.containers("postgres")[0]
    site.engine.run("exec", database, *DUMP[:-1], "-h", "/tmp", "--file=/tmp/dump", DUMP[-1])
    site.engine.run("cp", f"{database}:/tmp/dump", str(backup / "database.dump"))
    rclone(site, backup, "copy", "archive:careers", "/backup/bucket")
    in_media(site, backup, "tar", "-C", "/media", "-cf", "/backup/media.tar", ".")


def rclone(site: Site, backup: Path, *command: str) -> None:
    """Copy between the bucket and the backup."""
    if not site.engine.has_image(RCLONE):
        stand_ins.make(site.engine, [f"{RCLONE}:latest"])
    site.engine.run(
        "run",
        "--rm",
        f"--network={site.project.file().name}_inside",
        f"--volume={backup}:/backup",
        f"--env-file={site.directory / '.env'}",
        f"--env=AWS_SECRET_ACCESS_KEY={site.secret('AWS_SECRET_ACCESS_KEY')}",
        "--env=RCLONE_CONFIG_ARCHIVE_TYPE=s3",
        "--env=RCLONE_CONFIG_ARCHIVE_PROVIDER=Other",
        "--env=RCLONE_CONFIG_ARCHIVE_ENV_AUTH=true",
        "--env=RCLONE_CONFIG_ARCHIVE_ENDPOINT=http://s3:8333",
        RCLONE,
        *command,
    )


def in_media(site: Site, backup: Path, *command: str) -> None:
    """Run a command beside the volume with the pictures of the pages."""
    name = f"{site.project.file().name}_media"
    mounts = (f"--volume={name}:/media", f"--volume={backup}:/backup")
    base = stand_ins.BASE_IMAGE
    site.engine.run("run", "--rm", *mounts, base, *command)


def restore_elsewhere(site: Site, second: Site) -> None:
    """Back up a site in which an application is under way, and restore it into a second project."""
    receipts = site.visitor.apply_many(3)
    all_have_receipts(receipts)
    everybody_is_served(site, receipts, unconfirmed=True)
    backup = site.directory.parent / "backup"
    back_up(site, backup)
    before = site.query(ROWS)
    site.down()
    try:
        second.checkout()
        second.configure()
        for secret in (site.directory / "secrets").iterdir():
            (second.directory / "secrets" / secret.name).write_text(secret.read_text())
        second.project.up("postgres", "s3")
        database = second.project.containers("postgres")[0]
        second.engine.run("cp", str(backup / "database.dump"), f"{database}:/tmp/dump")
        second.engine.run("exec", database, *RESTORE, "-h", "/tmp", "/tmp/dump")
        for once in ("migrate", "bucket"):
            code, output = second.project.run_once(once)
            expect(code == 0, f"{once}: {output[-1000:]}")
        rclone(second, backup, "copy", "/backup/bucket", "archive:careers")
        in_media(second, backup, "tar", "-C", "/media", "-xf", "/backup/media.tar")
        second.project.up()
        second.trust_the_proxy()
        expect(second.query(ROWS) == before, "the restored database has other applications")
        opened = second.visitor.get(f"/received/{receipts[0].secret}/")
        expect(opened.status_code == 200, "a receipt of the first site does not open")
        check = ("python", "manage.py", "check_archive")
        code, output = second.project.run_once("sweeper", *check)
        expect(code == 0, f"check_archive: {output[-1000:]}")
        more = [second.visitor.apply()]
        all_have_receipts(more)
        everybody_is_served(second, more)
    finally:
        second.down(volumes=True)
        site.project.up()
        site.trust_the_proxy()


def start_release(site: Site, release: str, base_image: Callable[[Site], str]) -> None:
    """Deploy an earlier release from nothing, as its own ``.env.example`` says."""
    for file in ("docker-compose.yml", ".env", "Caddyfile"):
        (site.directory / file).unlink(missing_ok=True)
    site.checkout(release)
    example = (site.directory / ".env.example").read_text()
    # That release had its secrets in .env.
    filled = re.sub(
        r"^(\w*(?:KEY|PASSWORD|TOKEN))=$", rf"\1={'0f' * 30}", example, flags=re.MULTILINE
    )
    (site.directory / ".env").write_text(filled)
    for name, value in GIVEN.items():
        site.set_value(name, value)
    services = site.project.file().services.values()
    official = {service["image"] for service in services} - {"careersite"}
    stand_ins.make(site.engine, sorted(official), base_image(site))
    site.project.build()
    site.project.up()
    site.trust_the_proxy()
    site.seed()
