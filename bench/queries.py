"""Count the statements of pages: ``python -m bench.queries PATH…`` in the site's environment.

It prints a JSON object with the number of each path.
"""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings


def count(paths: list[str]) -> dict[str, int]:
    """The statements of each page at its second reading, from an empty shared cache of Django."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    host = settings.SITE_URL.partition("://")[2]
    client = Client(headers={"host": host})
    found = {}
    for path in paths:
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(path)
            if getattr(answer, "streaming", False):
                b"".join(answer)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        found[path] = len(statements)
    return found


if __name__ == "__main__":
    django.setup()
    json.dump(count(sys.argv[1:]), sys.stdout)
