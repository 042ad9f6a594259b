"""Static files are found whenever they are collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.http import Http404
from django.test import Client, RequestFactory

from careersite import staticfiles
from careersite.staticfiles import StaticFilesStorage


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
