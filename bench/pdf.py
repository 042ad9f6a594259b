"""The PDF of an application, against WeasyPrint alone."""

from __future__ import annotations

from collections.abc import Iterator

from bench.rows import Figure
from bench.sites import Bench


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """CPU of a PDF, in turns with a bare one; and of long ones, per page."""
    found = bench.pdf_costs
    yield Figure("PDF of an application", found["ours"] * 1000, "ms of CPU")
    yield Figure("bare write_pdf of it", found["bare"] * 1000, "ms of CPU")
    yield Figure("pages of the long PDF", found["pages"], "pages")
    yield Figure("long PDF, per page", found["long"] * 1000, "ms of CPU")
    yield "PDF", found["ratio"]
    yield "PDF of 100 pages, per page", found["long"] / found["short"]
