"""CPU time and memory of a process with all its descendants, from Linux's /proc (proc(5))."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> dict[int, list[str]]:
    """The fields of ``stat`` behind the name, of a process and all its descendants."""
    stats: dict[int, list[str]] = {}
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        # A process may end at any moment.
        with contextlib.suppress(OSError):
            # The name before may hold spaces and brackets.
            fields = path.read_text().rpartition(")")[2].split()
            stats[int(path.parent.name)] = fields
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, left = {}, [pid]
    while left:
        one = left.pop()
        if one in stats:
            found[one] = stats[one]
            left += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Seconds that a process and all its descendants have worked, with those that ended.

    The kernel adds the time of an ended child to its parent (``cutime`` and ``cstime``).
    """
    return sum(sum(map(int, fields[11:15])) for fields in tree(pid).values()) / TICK


def pss_megabytes(pid: int) -> float:
    """Memory of a process and all its descendants; a shared page counts once in all."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024
