"""Sizes of files: one rule, and no size over a limit reads like the limit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.utils import translation

from home.values.size import size_in_words, units

KB, MB, GB = 1024, 1024**2, 1024**3
SIZES = [
    (0, "0 bytes"),
    (1, "1 byte"),
    (2, "2 bytes"),
    (999, "999 bytes"),
    (1000, "1000 bytes"),
    (1023, "1023 bytes"),
    (KB, "1 KB"),
    (KB + 1, "2 KB"),
    (1500, "2 KB"),
    (2 * KB, "2 KB"),
    (10_000, "10 KB"),
    (48_230, "48 KB"),
    (99 * KB + 1, "100 KB"),
    (1_000_000, "977 KB"),
    (1023 * KB, "1023 KB"),
    (1023 * KB + 1, "1 MB"),
    (MB - 1, "1 MB"),
    (MB, "1 MB"),
    (MB + 1, "1.1 MB"),
    (int(1.4 * MB), "1.4 MB"),
    (2 * MB, "2 MB"),
    (10 * MB - 1, "10 MB"),
    (10 * MB, "10 MB"),
    (10 * MB + 1, "10.1 MB"),
    (10_490_000, "10.1 MB"),
    (11_000_000, "10.5 MB"),
    (32 * MB, "32 MB"),
    (int(99.95 * MB), "100 MB"),
    (100 * MB, "100 MB"),
    (1023 * MB, "1023 MB"),
]


@pytest.mark.parametrize(("size", "words"), SIZES)
def test_size_in_words(size: int, words: str) -> None:
    assert size_in_words(size) == words.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("size", "words"), [(GB, "1 GB"), (GB + 1, "1.1 GB"), (5 * GB, "5 GB"), (5000 * GB, "5000 GB")]
)
def test_size_of_a_disk_in_words(size: int, words: str) -> None:
    assert size_in_words(size) == words.replace(" ", "\N{NO-BREAK SPACE}")


def test_size_has_the_decimal_separator_of_the_language() -> None:
    with translation.override("fr"):
        assert size_in_words(10 * MB + 1).startswith("10,1\N{NO-BREAK SPACE}")


def test_size_in_french_has_octets() -> None:
    sizes = [(1, "1 octet"), (2, "2 octets"), (1500, "2 ko"), (10 * MB, "10 Mo"), (GB, "1 Go")]
    with translation.override("fr"):
        shown = [size_in_words(size) for size, _words in sizes]
        assert units()["megabytes"].endswith("Mo")
    assert shown == [words.replace(" ", "\N{NO-BREAK SPACE}") for _size, words in sizes]


def test_units_for_the_script_have_a_place_for_the_number() -> None:
    assert all(words.count("%n") == 1 for words in units().values())


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_script_says_the_same_as_the_server() -> None:
    script = Path("static/js/file-well.js").read_text()
    found = re.search(r"^function inWords.*?^}", script, re.DOTALL | re.MULTILINE)
    assert found
    sizes = [size for size, _words in SIZES]
    program = f"{found[0]}; const u = {json.dumps(units())};"
    program += f"console.log(JSON.stringify({sizes}.map((size) => inWords(size, u, 'en'))))"
    out = subprocess.run(["node", "-e", program], check=True, capture_output=True, text=True)
    assert json.loads(out.stdout) == [size_in_words(size) for size in sizes]
