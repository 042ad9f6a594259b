"""``bin/bench``: take each measurement, print a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import hostile
from bench.rows import Row, as_json, table

#: Each yields rows; ``quick`` is for a first impression.
MEASUREMENTS: list[Callable[[bool], Iterator[Row]]] = [hostile.measure]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="measure less: faster, less exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    try:
        for measure in MEASUREMENTS:
            for row in measure(options.quick):
                print(f"{row.name}: {row.measured:.2f} {row.unit}", file=sys.stderr, flush=True)
                rows.append(row)
    except KeyboardInterrupt:
        return 2
    except Exception as error:
        print(f"Not measured: {type(error).__name__}: {error}", file=sys.stderr)
        if os.environ.get("DEBUG"):
            raise
        return 2
    print("\n".join(table(rows)))
    if options.json:
        options.json.write_text(json.dumps(as_json(rows), indent=2) + "\n")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.test")
    django.setup()
    sys.exit(main(sys.argv[1:]))
