"""Errors of effects say what people may read, and no more."""

from __future__ import annotations

import pytest

from careers.applications.errors import (
    EffectError,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
)


@pytest.mark.parametrize("kind", [Transient, Permanent, Misconfigured, Uncertain])
def test_error_carries_its_code_and_its_words(kind: type[EffectError]) -> None:
    error = kind("smtp-busy", "The mail server is busy.", retry_after=60)
    assert (error.code, error.public, error.retry_after) == (
        "smtp-busy",
        "The mail server is busy.",
        60,
    )
    assert str(error) == "smtp-busy"
