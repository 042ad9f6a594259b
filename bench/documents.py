"""What PDFs cost: ``python -m bench.documents [--quick]`` in a site's environment.

It prints a JSON object with seconds of CPU: the medians of ``ours`` and ``bare``, of ``short`` and
``long`` per page; ``ratio``, the median of ours by bare of each turn; and ``pages`` of the long
document.
"""

from __future__ import annotations

import dataclasses
import gc
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django

TURNS, LONG_TURNS = 15, 3
#: Questions with so many lines as answer make a document of 10 and of 100 pages.
SHORT, LONG, LINES = 29, 300, 10


def measure(quick: bool) -> dict[str, Any]:
    """Make the PDF of the newest application, our way and with WeasyPrint alone, in turns."""
    from careers import documents
    from careers.applications.models import Application
    from careers.pipeline.effects.render_pdf import branding

    application = Application.objects.order_by("-pk")[0]
    looks = branding(application)
    document = documents.document_for(application, looks)

    def ours() -> bytes:
        return documents.render_pdf(documents.document_for(application, branding(application)))

    bare = bare_of(document)
    ours(), bare()  # the first ones load fonts
    # As a worker does when it starts: else the collector visits all objects of the site now and
    # then, in the one or in the other.
    gc.collect()
    gc.freeze()
    found: dict[str, list[float]] = {"ours": [], "bare": [], "short": [], "long": []}
    for _turn in range(1 if quick else TURNS):
        found["ours"].append(seconds(ours)[0])
        found["bare"].append(seconds(bare)[0])
    pages = 0
    for _turn in range(1 if quick else LONG_TURNS):
        for name, questions in (("short", SHORT), ("long", LONG)):
            long = with_answers(document, 1 + questions // 30 if quick else questions)
            took, content = seconds(partial(documents.render_pdf, long))
            pages = page_count(content)
            found[name].append(took / pages)
    medians = {name: statistics.median(values) for name, values in found.items()}
    ratios = (a / b for a, b in zip(found["ours"], found["bare"], strict=True))
    return medians | {"pages": pages, "ratio": statistics.median(ratios)}


def bare_of(document: Any) -> Callable[[], bytes]:
    """``write_pdf`` of the same HTML, with stylesheet and fonts that were read before."""
    from weasyprint import HTML

    from careers.documents import pdf
    from careers.documents.html import to_html

    html, typesetter = to_html(document), pdf._new_typesetter()

    def write() -> bytes:
        written: bytes = HTML(string=html).write_pdf(
            stylesheets=[typesetter.stylesheet],
            font_config=typesetter.fonts,
            pdf_variant=pdf.VARIANT,
            optimize_images=True,
        )
        return written

    return write


def with_answers(document: Any, questions: int) -> Any:
    """The document with so many answers of ``LINES`` lines."""
    from careers.documents import AnswerText

    answers = [
        AnswerText(f"Question {number}", tuple(f"Line {line} of it" for line in range(LINES)))
        for number in range(questions)
    ]
    return dataclasses.replace(document, answers=tuple(answers))


def seconds(make: Callable[[], bytes]) -> tuple[float, bytes]:
    """The CPU that it takes, with what it makes."""
    began = time.process_time()
    content = make()
    return time.process_time() - began, content


def page_count(content: bytes) -> int:
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)


if __name__ == "__main__":
    django.setup()
    json.dump(measure("--quick" in sys.argv), sys.stdout)
