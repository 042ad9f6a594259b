"""One word for one thing: words that this project has given up appear nowhere.

``docs/glossary.md`` says which words are used instead, and is the only document that may name
the old ones.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def word(name: str) -> str:
    """A pattern for a word of its own: as `rung` in `rung_at`, and not as in `wrung`."""
    return rf"(?<![a-z]){name}(?![a-z])"


#: A phone rings; nothing else in this project does.
OLD_WORDS = {
    "doorbell": "doorbell",
    "rung": word("rung"),
    "rings": rf"(?<!phone )(?<!telephone ){word('rings')}",
    "before_dot": "before_dot",
    "lineage": "lineage",
    "Who looked": r"who\s+looked",
    "Well again": r"well\s+again",
    "Half ran within": r"half\s+ran\s+within",
    "runs by the clock": r"runs?\s+by\s+the\s+clock",
    "Held back": r"held\s+back",
    "Must be answered": r"must\s+be\s+answered",
    "Own questions": r"own\s+questions",
    "No spam": r"\bno\s+spam",
}
PATTERN = re.compile("|".join(OLD_WORDS.values()), re.IGNORECASE)

#: A column, a table and a migration keep the name that they were given: old code uses it beside
#: new code during an upgrade. Only the quoted name may remain, and only in these forms.
STORED_NAMES = re.compile(
    r"""db_column=["'](?:rung_at|rings)["']"""
    r"""|db_table\s*=\s*["']careers_lineage["']"""
    r"""|["']0006_lineage["']|careers\.0006_lineage"""
)
#: Raw SQL in tests and tools reads the stored names of columns and tables.
STORED_IN_SQL = re.compile(
    r"""(?:sum\(|max\(|\bSELECT |\bSET )(?:[a-z]+\.)?(?:rung_at|rings)\b"""
    r"""|(?:FROM|UPDATE|INTO|TABLE)\s+careers_lineage\b"""
)


def is_exempt(path: str) -> bool:
    """Whether a file may hold old words: the glossary, migrations, pictures and catalogues."""
    return (
        path == "docs/glossary.md"
        or path == Path(__file__).relative_to(ROOT).as_posix()
        or "/migrations/" in path
        or path.endswith((".mo", ".png", ".jpg", ".jpeg", ".woff2", ".ico", ".pdf", ".pfb"))
    )


def old_words_in(text: str) -> list[str]:
    """The old words in a text, each with its line number."""
    text = STORED_IN_SQL.sub("", STORED_NAMES.sub("", text))
    return [
        f"{text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for found in PATTERN.finditer(text)
    ]


def latest_release(changelog: str) -> str:
    """The changelog down to the end of its newest release: older entries keep their words."""
    starts = [found.start() for found in re.finditer(r"^## \d", changelog, re.MULTILINE)]
    return changelog[: starts[1]] if len(starts) > 1 else changelog


def tracked_files() -> list[str]:
    """Every file that git knows in this checkout; skips the test where there is no checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("this is no git checkout")
    return [path for path in listing.stdout.split("\0") if path]


def test_tracked_files_contain_no_old_words() -> None:
    found = {}
    for path in tracked_files():
        file = ROOT / path
        if is_exempt(path) or not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path == "CHANGELOG.md":
            text = latest_release(text)
        if lines := [*old_words_in(path), *old_words_in(text)]:
            found[path] = lines
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "the doorbell",
        "rung_at",
        "dispatch.rung(",
        "the sweeper rings again",
        "def before_dot(",
        "WHO LOOKED",
        "what runs\nby the clock",
        "mails that were held back",
        'rings = "sum"',
        'table = "careers_lineage"',
    ],
)
def test_old_word_is_found(text: str) -> None:
    assert old_words_in(text) != []


@pytest.mark.parametrize(
    "text",
    [
        "strings, wrung, springs and brings",
        "when the phone rings",
        'models.DateTimeField(null=True, db_column="rung_at")',
        'db_table = "careers_lineage"',
        "SELECT coalesce(sum(rings), 0) AS n FROM careers_step",
        "a legal hold, and a job on hold",
    ],
)
def test_other_words_are_allowed(text: str) -> None:
    assert old_words_in(text) == []


def test_old_changelog_entries_are_not_read() -> None:
    new, old = "## Policy\n\n## 0.2.0 (2027-03-01)\n\nNew.\n\n", "## 0.1.0\n\nThe doorbell.\n"
    assert latest_release(new + old) == new
    assert latest_release(old) == old
