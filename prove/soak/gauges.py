"""What the parts of a running site use, read from outside: the kernel, the database, the broker."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.stack import Stack

MB = 1_000_000
#: In these states nothing more happens to a step.
OPEN = "state NOT IN ('succeeded', 'failed', 'uncertain', 'cancelled')"


def family(session: int) -> list[int]:
    """All processes of a session (each part of a ``Stack`` leads one of its own)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before may hold spaces and brackets.
            state, _parent, _group, its_session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def memory(pid: int) -> tuple[int, int]:
    """Bytes of resident memory, and of that the process's own share (RSS, PSS: proc(5))."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size, *_unit = line.split()
        sizes[name] = int(size) * 1024
    return sizes["Rss:"], sizes["Pss:"]


def usage(session: int) -> dict[str, float]:
    """What a part's processes use together: memory in MB, and numbers of the rest."""
    total: Counter[str] = Counter()
    for pid in family(session):
        # A pool's child may end while it is measured.
        with contextlib.suppress(OSError):
            rss, pss = memory(pid)
            directory = Path(f"/proc/{pid}")
            files, threads = (len(list((directory / name).iterdir())) for name in ("fd", "task"))
            total.update(rss=rss, pss=pss, files=files, threads=threads, processes=1)
    used: dict[str, float] = dict(total)
    return used | {name: round(used.get(name, 0) / MB, 2) for name in ("rss", "pss")}


def broker(stack: Stack) -> dict[str, float]:
    """What the broker holds: messages by queue, those in workers' hands, keys, MB."""
    client = stack.redis(30)
    with contextlib.closing(client):
        memory_used = client.info("memory")["used_memory"]
        return {
            "queue cpu": client.llen("careers:cpu"),
            "queue io": client.llen("careers:io"),
            "unacknowledged": client.hlen("careers:unacked"),
            "keys": client.dbsize(),
            "broker MB": round(memory_used / MB, 2),
        }


def database(stack: Stack) -> dict[str, float]:
    """The database's size, its log's, and who is connected."""
    if stack.environ["DATABASE_URL"].startswith("sqlite"):
        path = Path(stack.environ["DATABASE_URL"].removeprefix("sqlite:///"))
        log = path.with_name(f"{path.name}-wal")
        return {
            "database MB": round(path.stat().st_size / MB, 2),
            "log MB": round(log.stat().st_size / MB, 2) if log.exists() else 0,
        }
    (row,) = stack.query(
        "SELECT pg_database_size(current_database()) AS size,"
        " (SELECT sum(size) FROM pg_ls_waldir()) AS log,"
        # The connection of this query does not count.
        " (SELECT count(*) FROM pg_stat_activity"
        "  WHERE datname = current_database() AND pid <> pg_backend_pid()) AS connections"
    )
    return {
        "database MB": round(int(row["size"]) / MB, 2),
        "log MB": round(int(row["log"]) / MB, 2),
        "connections": int(row["connections"]),
    }


def backlog(stack: Stack) -> int:
    """How many steps have not come to an end."""
    (row,) = stack.query(f"SELECT count(*) AS n FROM careers_step WHERE {OPEN}")
    return int(row["n"])


def states(stack: Stack) -> dict[str, int]:
    """Steps by state."""
    rows = stack.query("SELECT state, count(*) AS n FROM careers_step GROUP BY state")
    return {row["state"]: int(row["n"]) for row in rows}


def disk(stack: Stack) -> dict[str, float]:
    """Temporary files of all parts, and what they logged."""
    temporary = list((stack.var / "tmp").rglob("*"))
    logs = sum(path.stat().st_size for path in (stack.var / "log").glob("*"))
    return {
        "temporary files": len(temporary),
        "logs MB": round(logs / MB, 2),
    }


def everything(stack: Stack) -> dict[str, Any]:
    """Measure the whole site; the gauges of each part are under its name."""
    return {
        "parts": {name: usage(part.pid) for name, part in stack.parts.items() if part.running},
        **broker(stack),
        **database(stack),
        **disk(stack),
        "states": states(stack),
    }
