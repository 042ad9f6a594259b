"""The protocol models: every schedule keeps every promise, and each rule is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from careers.pipeline.states import CLAIMABLE, ENDED, LEAVES_TO, NEEDS_A_PERSON
from prove.model import MODELS, Archive, Intake, KeyedMail, Mail, SteeredMail, protocol
from prove.model import __main__ as command
from prove.model.protocol import Model
from prove.model.walk import Walk, explore

#: Transitions that the models leave out: in a restored database mails become unconfirmed.
LEFT_OUT = {("waiting", "uncertain"), ("failed", "uncertain")}

TWICE = "no mail is accepted twice"
CANCELLED = "a cancelled mail is not sent"


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    return {each.name: explore(each()) for each in MODELS}


def test_every_schedule_of_every_model_keeps_all_promises(walks: dict[str, Walk]) -> None:
    print(command.table(list(walks.values())))
    assert {name: walk.breach for name, walk in walks.items()} == dict.fromkeys(walks)
    # The number of states does not depend on the machine.
    assert all(walk.states > 10_000 and walk.schedules > 10**9 for walk in walks.values())


def test_models_have_exactly_the_transitions_of_the_code(walks: dict[str, Walk]) -> None:
    """A new transition of the code belongs in a model."""
    seen = set().union(*(walk.changes for walk in walks.values()))
    allowed = {(str(before), str(to)) for before, after in LEAVES_TO.items() for to in after}
    assert seen == allowed - LEFT_OUT
    assert set(protocol.CLAIMABLE) == set(CLAIMABLE)
    assert set(protocol.SETTLED) == {*ENDED, *NEEDS_A_PERSON}


@pytest.mark.parametrize(
    ("rule", "kind", "promise"),
    [
        ("fence", Mail, "no write replaces a later claim"),
        ("fence", Mail, TWICE),
        ("fence", KeyedMail, "no write replaces a later claim"),
        ("fence", Archive, "no write replaces a later claim"),
        ("guard", Mail, "a final state never changes, a state for a person only by a person"),
        ("guard", Mail, TWICE),
        ("guard", Archive, "a final state never changes, a state for a person only by a person"),
        ("lease", Mail, "a running step is taken back only after its lease"),
        ("lease", Mail, "unconfirmed only when the answer or its reader was lost"),
        ("lease", KeyedMail, "a running step is taken back only after its lease"),
        ("lease", Archive, "a running step is taken back only after its lease"),
        ("phase-marker", Mail, TWICE),
        ("phase-marker", KeyedMail, TWICE),
        ("recall", Mail, CANCELLED),
        ("recall", KeyedMail, CANCELLED),
        ("phase-marker", Mail, CANCELLED),
        ("pause", SteeredMail, "a paused step is not started"),
        (
            "on-commit",
            Intake,
            "a receipt implies a committed application with all its steps",
        ),
        ("on-commit", Intake, "a worker that gets a message finds the row"),
        (
            "checksum",
            Archive,
            "bytes leave the database only for an equal copy in the archive",
        ),
    ],
)
def test_model_without_a_rule_breaks_its_promise(
    rule: str, kind: type[Model], promise: str
) -> None:
    walk = explore(kind(without=rule, named=True), only=promise)
    assert walk.breach is not None
    assert walk.breach.promise == promise


def test_every_rule_belongs_to_a_model() -> None:
    assert {rule for each in MODELS for rule in each.has} == set(protocol.RULES)


def test_command_prints_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "archive"]) == 0
    printed = capsys.readouterr().out
    assert "archive" in printed.splitlines()[1]
    assert "kept: bytes leave the database only for an equal copy in the archive" in printed


def test_command_prints_the_shortest_path_to_the_broken_promise() -> None:
    """In a process of its own: the models need neither Django's settings nor a database."""
    command = [sys.executable, "-m", "prove.model", "--sabotage", "checksum"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout.endswith(
        """\
archive (put, verify, drop the bytes)
  without: the archived copy is read back and compared
  BROKEN: bytes leave the database only for an equal copy in the archive
    1. worker 1: reads the row
    2. worker 1: claims  [queued → started]
    3. worker 1: reads the bytes
    4. worker 1: puts; the bucket keeps others
    5. worker 1: reads it back: equal
    6. worker 1: records the success, drops the bytes  [started → succeeded]
"""
    )
