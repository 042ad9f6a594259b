"""Static files are joined, compressed and found whenever they are collected."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.contrib.staticfiles.finders import get_finders
from django.core.files.base import ContentFile
from django.http import Http404
from django.test import Client, RequestFactory

from careersite import staticfiles
from careersite.staticfiles import BROTLI_UP_TO, Parts, StaticFilesStorage

ROOT = Path(__file__).resolve().parents[2]


def collect(root: Path, content: bytes) -> str:
    """Collect one stylesheet as ``collectstatic`` does; returns its hashed name."""
    storage = StaticFilesStorage(location=root, base_url="/static/")
    if storage.exists("a.css"):
        storage.delete("a.css")
    storage.save("a.css", ContentFile(content))
    for _name, _hashed, processed in storage.post_process({"a.css": (storage, "a.css")}):
        assert processed is True
    return storage.url("a.css")


def test_storage_finds_files_that_are_collected_later(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    early = StaticFilesStorage(location=tmp_path, base_url="/static/")
    collected = collect(tmp_path, b"a{}")
    assert early.url("a.css") == collected


def test_storage_finds_the_new_files_after_an_upgrade(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    old = collect(tmp_path, b"a{}")
    early = StaticFilesStorage(location=tmp_path, base_url="/static/")
    new = collect(tmp_path, b"b{}")
    assert new != old
    assert early.url("a.css") == new


@pytest.fixture
def collected(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the only stylesheet of this release."""
    settings.DEBUG = False
    address = collect(tmp_path, b"a{}")
    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")
    monkeypatch.setattr(staticfiles, "staticfiles_storage", storage)
    return address


def test_stylesheet_of_another_release_redirects_to_ours(client: Client, collected: str) -> None:
    answer = client.get("/static/a.0123456789ab.css")
    assert (answer.status_code, answer["Location"]) == (302, collected)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "path", ["b.0123456789ab.css", "a.css", "a.0123.css", "../a.0123456789ab.css", "a"]
)
@pytest.mark.usefixtures("collected")
def test_unknown_static_file_is_not_found(rf: RequestFactory, path: str) -> None:
    with pytest.raises(Http404):
        staticfiles.redirect_from_other_release(rf.get(f"/static/{path}"), path=path)


# ── Joined files ──────────────────────────────────────────────────────────────────────────


def post_process(root: Path, files: dict[str, str]) -> StaticFilesStorage:
    """Collect these files as ``collectstatic`` does."""
    storage = StaticFilesStorage(location=root, base_url="/static/")
    for name, content in files.items():
        storage.save(name, ContentFile(content.encode()))
    errors = [
        processed
        for _name, _hashed, processed in storage.post_process(
            {name: (storage, name) for name in files}
        )
        if isinstance(processed, Exception)
    ]
    assert not errors
    return storage


def content_of(storage: StaticFilesStorage, name: str) -> str:
    return Path(storage.path(storage.stored_name(name))).read_text()


def test_stylesheet_contains_its_parts_in_order(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    files = {
        "css/page-a.css": '@import "frame.css";\n@import "b.css";\nmain { margin: 0 }\n',
        "css/frame.css": '/* All pages. */\n@import "base.css";\n',
        "css/base.css": 'a::after { content: "/* kept */  \\" it" } /* gone\n */\n',
        "css/b.css": 'b {\n    background: url("../img/b.svg")\n}\n',
        "img/b.svg": "<svg/>",
    }
    storage = post_process(tmp_path, files)
    image = storage.stored_name("img/b.svg")
    assert content_of(storage, "css/page-a.css").split("\n") == [
        "",
        'a::after { content: "/* kept */  \\" it" } ',
        "b {",
        f'background: url("../{image}")',
        "}",
        "main { margin: 0 }",
        "",
    ]


def test_changed_part_changes_the_address_of_the_stylesheet(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    page = '@import "b.css";\n'
    before, after = (
        post_process(tmp_path / name, {"css/page.css": page, "css/b.css": name}).url("css/page.css")
        for name in ("i {}", "u {}")
    )
    assert before != after


def test_part_that_does_not_exist_is_an_error(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(ValueError, match=r"css/never\.css"):
        post_process(tmp_path, {"css/page.css": '@import "never.css";\n'})


def test_parts_of_a_script_keep_their_own_names(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    files = {
        "js/page.js": 'import "./a.js";\nimport "./b.js";\n',
        "js/a.js": "const x = 1;\n",
        "js/b.js": "const x = 2;\n",
    }
    joined = content_of(post_process(tmp_path, files), "js/page.js")
    assert joined == "{\nconst x = 1;\n}\n{\nconst x = 2;\n}\n"


def test_only_requested_files_are_compressed(tmp_path: Path, settings: Any) -> None:
    settings.DEBUG = False
    small, large = "a { b: c }\n" * 100, "d { e: f }\n" * BROTLI_UP_TO
    storage = post_process(tmp_path, {"css/small.css": small, "css/large.css": large})
    made = {path.name for path in tmp_path.rglob("*") if path.suffix in {".br", ".gz"}}
    names = [Path(storage.stored_name(f"css/{name}.css")).name for name in ("small", "large")]
    assert made == {f"{names[0]}.br", f"{names[0]}.gz", f"{names[1]}.gz"}


# ── What pages load ───────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def parts() -> Parts:
    """All static files of the product and its libraries, joined."""
    found = {}
    for finder in get_finders():
        for name, storage in finder.list([]):
            found.setdefault(name, (storage, name))
    return Parts(found)


PAGES = {
    path.relative_to(ROOT / "templates").as_posix(): path.read_text()
    for path in (ROOT / "templates").rglob("*.html")
}
LOADED = re.compile(r"\{% static '((?:css|js)/[^/']+\.(?:css|js))' %\}")
PUBLIC = sorted(
    name
    for name, text in PAGES.items()
    if re.search(r'extends "(base|standalone)\.html"', text) or name == "base.html"
)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page_loads_one_stylesheet_and_one_script(name: str) -> None:
    loaded = LOADED.findall(PAGES[name])
    kinds = [Path(file).suffix for file in loaded]
    assert kinds.count(".css") <= 1
    # The job page has a second script in place of the first, when the form is not on it.
    assert kinds.count(".js") <= 2


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page_is_light(name: str, parts: Parts) -> None:
    own = LOADED.findall(PAGES[name])
    texts = [parts.text(file).encode() for file in own]
    assert sum(map(len, texts)) <= 38_000  # of 40 KB; theme.css takes the rest
    assert sum(len(gzip.compress(text, 9)) for text in texts) <= 12_000
    assert sum(len(brotli.compress(text)) for text in texts) <= 10_500


def test_every_stylesheet_and_script_is_used() -> None:
    files = [path for kind in ("css", "js") for path in (ROOT / "static" / kind).rglob("*.*")]
    users = [
        path
        for folder in ("templates", "static", "careers", "home", "site")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".css", ".js", ".py"}
    ]
    texts = {path: path.read_text() for path in users}
    unused = [
        file.name
        for file in files
        if not any(file.name in text for path, text in texts.items() if path != file)
    ]
    assert unused == []
