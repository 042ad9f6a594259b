"""A process is warm before its first document, and loads nothing twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fontTools.ttLib import woff2

from careers import documents
from careers.applications.errors import Misconfigured
from careers.documents import fonts, pdf
from careers.pipeline import worker
from tests.support.paperwork import document


def test_process_that_is_warm_loads_nothing_for_its_first_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents.load()
    monkeypatch.setattr(pdf, "_typesetters", {})
    # What was loaded before the fork is not loaded again.
    monkeypatch.setattr(woff2, "decompress", None)
    documents.warm_up()
    monkeypatch.setattr(pdf, "_new_typesetter", None)
    assert documents.render_pdf(document()).startswith(b"%PDF")


def test_loading_decompresses_each_font_once() -> None:
    documents.load()
    before = fonts.uncompressed.cache_info().misses
    documents.load()
    assert fonts.uncompressed.cache_info().misses == before


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    for name in ("load", "warm_up"):
        monkeypatch.setattr(documents, name, lambda name=name: made.append(name))
    monkeypatch.setattr(worker.restored_database, "recognise_at_start", lambda: None)
    monkeypatch.setattr(worker, "_owner", worker.owner())
    monkeypatch.setattr(worker, "_makes_pdfs", False)
    monkeypatch.setattr(worker.gc, "freeze", lambda: made.append("freeze"))
    return made


def serving(*queues: str) -> Any:
    """A worker that takes messages from these queues."""
    served = SimpleNamespace(consume_from=dict.fromkeys(queues))
    return SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=served)))


def test_worker_of_the_queue_cpu_is_warm_before_its_first_task(calls: list[str]) -> None:
    worker._start(serving("cpu"))
    worker._start_child()
    assert calls == ["load", "freeze", "warm_up"]


def test_worker_of_other_queues_loads_no_library_for_pdfs(calls: list[str]) -> None:
    worker._start(serving("io"))
    worker._start_child()
    assert calls == ["freeze"]


def test_child_starts_even_if_it_can_make_no_pdf(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise Misconfigured("pdf-assets", "The fonts are missing.")

    monkeypatch.setattr(documents, "warm_up", fail)
    worker._start(serving("cpu"))
    worker._start_child()
    assert "pdf-assets" in caplog.text
