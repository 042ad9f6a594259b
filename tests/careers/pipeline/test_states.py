"""The state machine matches the table of the design."""

from __future__ import annotations

import pytest

from careers.pipeline.states import CELERY_WORDS, CLAIMABLE, ENDED, LEAVES_TO, State

TABLE = {
    "waiting": {"queued", "uncertain", "cancelled"},
    "queued": {"sent", "started", "uncertain", "cancelled"},
    "sent": {"started", "queued", "uncertain", "cancelled"},
    "started": {"succeeded", "retrying", "failed", "uncertain", "queued", "cancelled"},
    "retrying": {"sent", "started", "retrying", "uncertain", "cancelled"},
    "succeeded": set(),
    "failed": {"queued", "uncertain", "cancelled"},
    "uncertain": {"succeeded", "cancelled"},
    "cancelled": set(),
}
WORDS = {
    "waiting": ("Waiting for an earlier step", "PENDING"),
    "queued": ("Queued", "PENDING"),
    "sent": ("Sent to a worker", "SENT"),
    "started": ("Running", "STARTED"),
    "retrying": ("Will retry", "RETRY"),
    "succeeded": ("Done", "SUCCESS"),
    "failed": ("Failed", "FAILURE"),
    "uncertain": ("Unconfirmed", "FAILURE"),
    "cancelled": ("Cancelled", "REVOKED"),
}


def test_transitions_match_the_table() -> None:
    assert {state.value: set(to) for state, to in LEAVES_TO.items()} == TABLE


@pytest.mark.parametrize("state", State)
def test_state_has_its_label_and_celery_word(state: State) -> None:
    assert (str(state.label), CELERY_WORDS[state]) == WORDS[state]


def test_ended_step_is_not_claimable() -> None:
    assert not set(CLAIMABLE) & set(ENDED)
    assert all(State.STARTED in LEAVES_TO[state] for state in CLAIMABLE)
    assert not any(State.STARTED in LEAVES_TO[state] for state in ENDED)
