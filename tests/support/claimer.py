"""Several processes that claim the same steps: ``python -m tests.support.claimer NUMBER``.

Prints one line for each process, with the ids of the steps that it claimed.
"""

import os
import random
import sys

import django

django.setup()

from django.db import connections  # noqa: E402 -- Django must be set up before

from careers.pipeline import runner  # noqa: E402
from careers.pipeline.models import Step  # noqa: E402


def claim(ids: list[int], name: str) -> None:
    random.shuffle(ids)
    won = [step_id for step_id in ids if runner.take(step_id, owner=f"worker:{name}")]
    # One write: lines of several processes must not mix.
    os.write(1, f"{' '.join(map(str, won))}\n".encode())


ids = list(Step.objects.filter(state__in=["queued", "sent"]).values_list("pk", flat=True))
connections.close_all()
start, started = os.pipe()
children = []
for number in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        os.close(started)
        os.read(start, 1)  # until the parent closes it, for all at the same moment
        claim(ids, str(number))
        os._exit(0)
    children.append(child)
os.close(started)
sys.exit(max(os.waitpid(child, 0)[1] for child in children) != 0)
