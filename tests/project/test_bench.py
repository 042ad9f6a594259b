"""The frame of ``bin/bench``: rows, table, JSON and exit code; nothing is measured here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from bench import __main__ as command
from bench import hostile
from bench.rows import Row, as_json, table

MET, MISSED = Row("Fast page", 1.25, 2.0, "times idle"), Row("Slow page", 2.5, 2.0, "times idle")


def test_row_is_met_up_to_its_target() -> None:
    assert MET.met
    assert Row("Page", 2.0, 2.0, "times idle").met
    assert not MISSED.met


def test_table_has_a_line_per_row_with_its_verdict() -> None:
    heading, first, second = table([MET, MISSED])
    assert heading.split() == ["measured", "target"]
    assert first.split() == ["Fast", "page", "1.25", "2.00", "times", "idle", "met"]
    assert second.split()[-1] == "MISSED"


@pytest.mark.parametrize(("rows", "code"), [([MET], 0), ([MET, MISSED], 1)])
def test_command_writes_json_and_exits_by_the_targets(
    rows: list[Row],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[bool] = []

    def measure(quick: bool) -> Iterator[Row]:
        asked.append(quick)
        yield from rows

    monkeypatch.setattr(command, "MEASUREMENTS", [measure])
    file = tmp_path / "out.json"
    assert command.main(["--quick", "--json", str(file)]) == code
    assert asked == [True]
    assert json.loads(file.read_text()) == as_json(rows)
    assert set(as_json(rows)["rows"][0]) == {"name", "measured", "target", "unit", "met"}
    assert "Fast page" in capsys.readouterr().out


def test_command_that_cannot_measure_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(quick: bool) -> Iterator[Row]:
        raise RuntimeError("no site")

    monkeypatch.setattr(command, "MEASUREMENTS", [measure])
    assert command.main([]) == 2


def test_page_tree_bomb_is_a_small_pdf_with_many_pages() -> None:
    bomb = hostile.page_tree_bomb()
    assert len(bomb) < 1500
    assert len(PdfReader(io.BytesIO(hostile.page_tree_bomb(levels=3))).pages) == 4**3


def test_expensive_forms_fit_into_a_request() -> None:
    assert all(len(body) < 2 * 1024 * 1024 for body, _kind in hostile.forms().values())
