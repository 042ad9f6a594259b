"""``bin/bench``: its frame, and that a quick run measures every row. No time is asserted."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from bench import __main__ as command
from bench import busy, hostile, load, processes, weight
from bench.rows import Figure, Row, markdown, table
from bench.targets import TARGETS, Target
from tests.support.speed import patient
from tests.support.stack import ROOT

FAST, SLOW = Row("Fast page", 1.25, 2.0, "× idle"), Row("Slow page", 2.5, 2.0, "× idle")
UNMEASURED = Row("Lighthouse", None, 99.0, "points", at_least=True, why="npm was not found")


def test_row_is_met_up_to_its_target() -> None:
    assert FAST.met
    assert Row("Page", 2.0, 2.0, "× idle").met
    assert not SLOW.met


def test_row_with_at_least_is_met_from_its_target() -> None:
    assert Row("Page", 40.0, 40.0, "×", at_least=True).met
    assert not Row("Page", 39.9, 40.0, "×", at_least=True).met


@pytest.mark.parametrize("row", [UNMEASURED, Row("Page", math.nan, 2.0, "× idle")])
def test_row_without_measurement_is_not_met(row: Row) -> None:
    assert not row.met


def test_table_has_a_line_per_row_with_its_verdict() -> None:
    heading, first, second, third = table([FAST, SLOW, UNMEASURED])
    assert heading.split() == ["measured", "target"]
    assert first.split() == ["Fast", "page", "1.25", "≤", "2.00", "×", "idle", "met"]
    assert second.split()[-1] == "MISSED"
    assert third.endswith("not measured: npm was not found")


def test_markdown_replaces_only_what_is_between_the_marks(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(f"Before\n{command.BEGIN}\nold\n{command.END}\nAfter\n")
    command.write_tables(document, [FAST], [Figure("GET page", 30, "ms")])
    text = document.read_text()
    assert text.startswith(f"Before\n{command.BEGIN}\n{markdown([FAST])[0]}\n")
    assert "| GET page | 30.0 | ms |" in text
    assert "old" not in text
    assert text.endswith(f"{command.END}\nAfter\n")


def test_document_of_performance_has_the_marks() -> None:
    text = command.DOCUMENT.read_text()
    assert text.count(command.BEGIN) == text.count(command.END) == 1


def test_document_explains_every_row_that_falls_short() -> None:
    text = command.DOCUMENT.read_text()
    tables = text.partition(command.BEGIN)[2].partition(command.END)[0]
    reasons = text.partition("## What falls short")[2].partition("\n## ")[0]
    rows = [line for line in tables.splitlines() if "MISSED" in line or "not measured" in line]
    assert [row for row in rows if row.split("|")[1].strip() not in reasons] == []


class FakeBench:
    """Takes the place of the sites."""

    quick = True

    def __init__(self, quick: bool) -> None: ...

    def __enter__(self) -> FakeBench:
        return self

    def __exit__(self, *_exception: object) -> None: ...


@pytest.fixture
def fake_group(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One group with one target of 2; it measures what the list holds, and fails without."""
    measured: list[float] = []

    def measure(_bench: FakeBench) -> Iterator[tuple[str, float] | Figure]:
        yield Figure("GET page", 30, "ms")
        yield "Page", measured.pop()

    monkeypatch.setattr(command, "TARGETS", (Target("fake", "Page", 2, "× idle"),))
    monkeypatch.setattr(command, "GROUPS", ("fake",))
    monkeypatch.setattr("bench.sites.Bench", FakeBench)
    monkeypatch.setitem(sys.modules, "bench.fake", SimpleNamespace(measure=measure))
    return measured


@pytest.mark.parametrize(("measured", "code"), [([1.0], 0), ([3.0], 1), ([], 2)])
def test_command_writes_json_and_exits_by_the_targets(
    measured: list[float],
    code: int,
    fake_group: list[float],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake_group += measured
    file = tmp_path / "out.json"
    assert command.main(["--quick", "--json", str(file)]) == code
    (row,) = json.loads(file.read_text())["rows"]
    assert set(row) == {"name", "measured", "target", "unit", "met"}
    assert (row["measured"], row["met"]) == (measured[0] if measured else None, code == 0)
    assert "GET page" in capsys.readouterr().out


def test_command_refuses_an_unknown_group() -> None:
    with pytest.raises(SystemExit):
        command.main(["nothing"])


def test_quick_run_measures_every_row(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--json", str(file)],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name != "DATABASE_URL"},
        capture_output=True,
        text=True,
        timeout=patient(180),
    )
    assert file.exists(), done.stderr[-3000:]
    rows = {row["name"]: row for row in json.loads(file.read_text())["rows"]}
    assert list(rows) == [target.name for target in TARGETS]
    for target in TARGETS:
        measured = rows[target.name]["measured"]
        if target.group in command.NOT_QUICK:
            assert measured is None
        else:
            assert measured is not None, f"{target.name}\n{done.stderr[-3000:]}"
            assert math.isfinite(measured)


def test_client_knows_the_length_of_an_answer() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n"
    assert load.whole_length(head.lower(), 40) == 52
    assert load.whole_length(b"http/1.1 304 not modified\r\n", 40) == 40
    assert load.whole_length(b"http/1.1 200 ok\r\ntransfer-encoding: chunked\r\n", 40) == 0


def test_cpu_time_counts_children_that_ended() -> None:
    before = processes.cpu_seconds(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-ISc", burn], check=True)
    assert processes.cpu_seconds(os.getpid()) - before >= 0.15


def test_percentile_is_a_value_that_99_percent_do_not_exceed() -> None:
    assert busy.percentile([float(number) for number in range(1, 201)]) == 198
    assert busy.percentile([3.0, 1.0]) == 3


def test_weight_counts_fonts_that_are_downloaded_and_hide_text() -> None:
    there, shown, hidden = 'src: local("Arial")', "src: url(a); font-display: swap", "src: url(b)"
    faces = "".join(f"@font-face {{ {face} }}\n" for face in (there, shown, hidden))
    assert weight.fonts_that_hide_text(faces) == 1


def test_weight_tells_what_blocks_the_first_text() -> None:
    loaded = weight.Loaded()
    loaded.feed(
        '<link rel="stylesheet" href="a.css"><link rel="stylesheet" media="print" href="p.css">'
        '<link rel="preload" as="font" href="f.woff2"><script src="now.js"></script>'
        '<script type="module" src="later.js"></script><style>p { margin: 0 }</style>'
        '<script type="application/ld+json">{"data": 1}</script>'
    )
    assert loaded.blocking == ["a.css", "now.js"]
    assert loaded.later == ["p.css", "later.js"]
    assert loaded.inline == ["p { margin: 0 }"]


def test_page_tree_bomb_is_a_small_pdf_with_many_pages() -> None:
    bomb = hostile.page_tree_bomb()
    assert len(bomb) < 1500
    assert len(PdfReader(io.BytesIO(hostile.page_tree_bomb(levels=3))).pages) == 4**3


def test_expensive_forms_fit_into_a_request() -> None:
    assert all(len(body) < 2 * 1024 * 1024 for body, _kind in hostile.forms().values())
