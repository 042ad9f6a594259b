"""``bin/prove model``: explore every model, and print what was found."""

from __future__ import annotations

import argparse
import sys

from prove.model import MODELS
from prove.model.protocol import RULES
from prove.model.walk import Walk, explore


def table(walks: list[Walk]) -> str:
    """The figures of all walks."""
    head = ("model", "states", "transitions", "schedules", "longest", "seconds", "promises")
    rows = [head] + [
        (
            walk.model.name,
            f"{walk.states:,}",
            f"{walk.transitions:,}",
            f"{walk.schedules:.1e}" if walk.schedules else "–",
            str(walk.longest or "–"),
            f"{walk.seconds:.1f}",
            "BROKEN" if walk.breach else f"{len(walk.model.promises)} kept",
        )
        for walk in walks
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bin/prove model", description=__doc__.split("\n")[0])
    parser.add_argument("--sabotage", choices=RULES, help="take one rule away")
    parser.add_argument("--only", choices=[model.name for model in MODELS], help="one model")
    parser.add_argument("--faults", type=int, help="how many things go wrong (more takes longer)")
    parser.add_argument("--acts", type=int, help="how often a person acts")
    given = parser.parse_args(arguments)
    budgets = {n: v for n, v in (("faults", given.faults), ("acts", given.acts)) if v is not None}
    walks = []
    for model in MODELS:
        if given.only not in (None, model.name):
            continue
        if given.sabotage and given.sabotage not in model.has:
            continue
        walks.append(explore(model(given.sabotage or "", named=bool(given.sabotage), **budgets)))
    print(table(walks))
    print("\nschedules: orders of events from the start until nothing can happen any more,")
    print("identical workers not distinguished; longest: events in the longest of them.")
    for walk in walks:
        print(f"\n{walk.model.name} ({walk.model.about})")
        if walk.breach:
            if given.sabotage:
                print(f"  without: {RULES[given.sabotage]}")
            print(f"  BROKEN: {walk.breach.promise}")
            for n, move in enumerate(walk.breach.way, 1):
                print(f"  {n:3}. {move}")
        else:
            for promise in walk.model.promises:
                print(f"  kept: {promise}")
    return 1 if any(walk.breach for walk in walks) else 0


if __name__ == "__main__":
    sys.exit(main())
