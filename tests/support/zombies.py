"""Processes that run one step each: ``python -m tests.support.zombies KIND=STEP …``.

Each follows the plan of deaths (see ``tests.support.faulty_workers``). Nothing limits its time: a
stopped process continues after SIGCONT, however much later that is.
"""

import os
import sys

import django

django.setup()

from django.db import connections  # noqa: E402 -- Django must be set up before

from careers.pipeline import runner  # noqa: E402
from tests.support.faulty_workers import install  # noqa: E402

install()
connections.close_all()
children = []
for argument in sys.argv[1:]:
    kind, _, step_id = argument.partition("=")
    child = os.fork()
    if not child:
        runner.run(int(step_id), owner=f"worker:zombie-{step_id}", kind=kind)
        os._exit(0)
    children.append(child)
sys.exit(max(os.waitpid(child, 0)[1] for child in children) != 0)
