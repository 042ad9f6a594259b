"""Every address gives every role the expected answer, for its own and for foreign objects.

``WRITE_MATRIX=1 bin/test tests/project/test_matrix.py`` adds the lines that ``matrix.txt`` lacks
and removes those of addresses that are gone; ``WRITE_MATRIX=all`` writes all anew. Review it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import matrix

TABLE = Path(__file__).with_name("matrix.txt")


@pytest.fixture(scope="module")
def expected() -> matrix.Table:
    return matrix.read(TABLE.read_text()) if TABLE.exists() else {}


def test_table_has_a_line_for_every_address_and_no_other(expected: matrix.Table) -> None:
    if os.environ.get("WRITE_MATRIX"):
        pytest.skip("the table is written anew")
    wanted = matrix.lines()
    missing = [line for line in wanted if line not in expected]
    left = [line for line in expected if line not in wanted]
    assert (missing, left) == ([], []), f"{__doc__}"


def test_no_address_answers_with_a_server_error(expected: matrix.Table) -> None:
    failing = [
        address
        for (address, _side), answers in expected.items()
        if any(status.startswith("5") for cell in answers.values() for status in cell.split("/"))
    ]
    assert failing == []


# Of wagtail-localize's report of translations.
@pytest.mark.filterwarnings("ignore:Pagination may yield inconsistent results")
# Wagtail leaves temporary files open that it makes for a preview of a picture.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.django_db
def test_every_address_gives_every_role_the_expected_answer(expected: matrix.Table) -> None:
    wanted = matrix.lines()
    if mode := os.environ.get("WRITE_MATRIX"):
        known = {} if mode == "all" else expected
        found = known | matrix.measured([line for line in wanted if line not in known])
        TABLE.write_text(matrix.write({line: found[line] for line in wanted}))
        return
    found = matrix.measured(wanted)
    surprises = [
        f"/{address} {side}: {role} gets {answer}, not {expected[address, side].get(role)}"
        for (address, side), answers in found.items()
        if (address, side) in expected
        for role, answer in answers.items()
        if answer != expected[address, side].get(role)
    ]
    assert surprises == [], "\n".join(surprises)
