"""Which faults happen in a campaign, and when."""

from __future__ import annotations

import random
from collections.abc import Collection

from prove.injection.kinds import KINDS, Fault


def faults(
    seed: int,
    count: int,
    applications: int,
    *,
    database: str,
    own_server: bool = True,
    scanner: bool = True,
    only: Collection[str] = KINDS.keys(),
) -> list[Fault]:
    """The faults of a campaign, in the order in which they happen.

    Each kind that fits the database comes about equally often. The first and the last applications
    meet no fault: they show how fast the site is by itself.

    Args:
        own_server: whether PostgreSQL may be killed.
        scanner: whether the site has a virus scanner.
        only: the kinds to choose from.
    """
    having = {"", database} | ({"server"} if own_server and database == "postgresql" else set())
    having |= {"scanner"} if scanner else set()
    known = [name for name, each in KINDS.items() if each.needs in having and name in only]
    chance = random.Random(f"faults {seed} {database}")
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(known, len(known))
    first, last = max(2, applications // 20), max(3, applications * 19 // 20)
    return [
        Fault(
            name,
            at,
            seconds=round(chance.uniform(2, 6), 1),
            times=chance.randint(1, 3),
            chance=chance.randrange(10**6),
        )
        for at, name in zip(
            sorted(chance.randint(first, last) for _ in range(count)), names[:count], strict=True
        )
    ]
