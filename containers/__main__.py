"""``bin/compose-check`` ends here; see its own words for the options."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from containers import journeys, measures, mistakes, recovery, short, stand_ins
from containers.composefile import Refused
from containers.engine import Engine, Failed, install
from containers.site import ROOT, Site
from tests.support.previous import COMMIT

IMAGE = "careersite"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/compose-check", description=__doc__)
    parser.add_argument("--short", action="store_true", help="only what needs no image")
    parser.add_argument("--keep", action="store_true", help="leave the containers running")
    parser.add_argument("--fresh", action="store_true", help="make all images again")
    parser.add_argument("only", nargs="*", help="parts of the check, by the words it prints")
    options = parser.parse_args()
    directory = Path(os.environ.get("VAR_DIR", ROOT / "var")).resolve() / "compose-check"
    try:
        return short.main() if options.short else _check(directory, options)
    except (Refused, Failed, AssertionError) as error:
        print(f"FAILED: {error}", flush=True)
        return 1


def _check(directory: Path, options: argparse.Namespace) -> int:
    install()
    engine = Engine(directory)
    if options.fresh:
        engine.remove_everything()
        engine = Engine(directory)
    site = Site(engine, directory / "project")
    second = Site(engine, directory / "second", "second")
    for one in (site, second):
        with contextlib.suppress(Refused, FileNotFoundError):
            one.down(volumes=True)
    parts: dict[str, Callable[[], object]] = {
        "images": lambda: build(site),
        **{name: _bound(step, site) for name, step in journeys.STORY.items()},
        "measures": lambda: measures.show(site),
        "mistakes": lambda: mistakes.all_of_them(site),
        "restore": lambda: recovery.restore_elsewhere(site, second),
        "upgrade": lambda: upgrade(site),
    }
    unknown = set(options.only) - parts.keys()
    if unknown:
        raise Refused(f"There is no part {sorted(unknown)[0]!r}; there are: {', '.join(parts)}.")
    failed = []
    for name, part in parts.items():
        if options.only and name not in {*options.only, "images", "first start"}:
            continue
        began = time.monotonic()
        print(f"── {name}", flush=True)
        try:
            part()
        except (Refused, Failed, AssertionError) as error:
            failed.append(name)
            print(f"   FAILED: {error}", flush=True)
            if name in ("images", "first start"):
                break
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    if not options.keep:
        for one in (site, second):
            with contextlib.suppress(Refused, FileNotFoundError):
                one.down(volumes=True)
    print(f"FAILED: {', '.join(failed)}" if failed else "Everything passed.", flush=True)
    return bool(failed)


def _bound(step: Callable[[Site], None], site: Site) -> Callable[[], None]:
    return lambda: step(site)


def base_image(site: Site) -> str:
    """The image that the first line FROM of the Dockerfile names."""
    lines = (site.directory / "Dockerfile").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("FROM "))


def build(site: Site) -> None:
    """Write the project's files, make the stand-ins, and build our image."""
    site.checkout()
    for line in site.configure().splitlines():
        print(f"   {line}")
    official = {service["image"] for service in site.project.file().services.values()}
    stand_ins.make(site.engine, sorted(official - {IMAGE}), base_image(site))
    site.project.build()
    size = int(site.engine.run("image", "inspect", "--format", "{{.Size}}", IMAGE)) / 1e6
    print(f"   our image has {size:.0f} MB", flush=True)
    journeys.expect(size <= measures.LARGEST_IMAGE, f"the image has {size:.0f} MB")


def upgrade(site: Site) -> None:
    """Start the last release in a new project, and bring it to this tree."""
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True
    )
    release = tag.stdout.strip() or COMMIT
    site.down(volumes=True)
    recovery.start_release(site, release, base_image)
    journeys.upgrade(site, release)


if __name__ == "__main__":
    sys.exit(main())
