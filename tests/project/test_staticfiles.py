"""Static files are found whenever they were collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile

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


def test_a_storage_made_before_the_files_were_collected_finds_them(
    tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG = False
    early = StaticFilesStorage(location=tmp_path, base_url="/static/")
    collected = collect(tmp_path, b"a{}")
    assert early.url("a.css") == collected


def test_a_storage_made_before_an_upgrade_finds_the_new_files(
    tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG = False
    old = collect(tmp_path, b"a{}")
    early = StaticFilesStorage(location=tmp_path, base_url="/static/")
    new = collect(tmp_path, b"b{}")
    assert new != old
    assert early.url("a.css") == new
