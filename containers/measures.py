"""The table of what was seen: each container, its image, when it was ready, and its memory."""

from __future__ import annotations

from containers import stand_ins
from containers.site import Site

#: Megabytes that our image may have.
LARGEST_IMAGE = 450


def show(site: Site) -> None:
    """Print the table for ``docs/operations.md``."""
    print("| service | image | ready after | memory |\n|---|---|---|---|")
    for service in site.project.file().services.values():
        names = site.project.containers(service.name)
        if not names:
            continue
        after = site.project.ready_after.get(service.name)
        ready = f"{after:.0f} s" if after is not None else "–"
        stand_in = stand_ins.what_is(service["image"])
        image = f"`{service['image']}`" + (f": stand-in, {stand_in}" if stand_in else "")
        used = sum(memory(site, name) for name in names) / len(names)
        amount = f"{used:.0f} MB" if used else "ended"
        print(f"| `{service.name}` | {image} | {ready} | {amount} |")


def memory(site: Site, name: str) -> float:
    """Megabytes that the processes of a container have for themselves, or share among them."""
    if not site.project.state(name)["Running"]:
        return 0
    used = 0
    for pid in site.engine.run("top", name, "hpid").split()[1:]:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                used += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except FileNotFoundError:
            continue  # it ended meanwhile
    return used / 1024
