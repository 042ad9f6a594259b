"""One of several processes that claim the same steps: prints the ids that it won."""

import random
import sys

import django

django.setup()

from django.db import connection  # noqa: E402 -- Django must be set up before

from careers.pipeline import runner  # noqa: E402
from careers.pipeline.models import Step  # noqa: E402

owner = f"worker:{sys.argv[1]}"
ids = list(Step.objects.filter(state__in=["queued", "sent"]).values_list("pk", flat=True))
random.shuffle(ids)
connection.close()
print("ready", flush=True)
sys.stdin.readline()
print(*[step_id for step_id in ids if runner.take(step_id, owner=owner)])
