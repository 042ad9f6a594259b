"""The text of PDFs, and Python programs in a new process."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import textwrap

import pypdf

from tests.support.speed import patient


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def letters(text: str) -> str:
    """The text without spaces, which readers of PDF only guess."""
    return re.sub(r"\s+", "", text)


def in_a_new_process(program: str, **environment: str) -> str:
    """The output of a Python program that starts with Django and the sample document."""
    prelude = """
        import os
        import django
        django.setup()
        from careers.documents import render_pdf
        from tests.support.paperwork import PROSE, answering, document
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(prelude) + textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=patient(200),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
