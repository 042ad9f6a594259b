"""Unknown and malformed addresses are answered with a page, never with a server error."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/",
        "/%00",
        "/careers/%00/",
        "/careers/%ff%fe/",
        "/careers/" + "x" * 3000 + "/",
        "/careers/%F0%9F%A6%91/",
        "/careers/..%2f..%2fetc/passwd",
        "/apply/not-a-key/",
        "/apply/00000000-0000-0000-0000-000000000000/",
        "/media/images/%00",
        "/media/other/x.png",
        "/documents/1/x.pdf",
        "/received/x/y/z/",
    ],
)
def test_unknown_address_is_answered_with_404(client: Client, job: Any, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert not response.cookies


@pytest.mark.parametrize("path", ["../../db.sqlite3", "..%2f..%2fdb.sqlite3"])
def test_path_outside_the_media_folder_is_refused(client: Client, home: Any, path: str) -> None:
    assert client.get(f"/media/images/{path}").status_code == 400


@pytest.mark.parametrize("query", ["x=%00", "page=-1", "page=1e9", "q=%ff", "q=" + "%22" * 900])
@pytest.mark.parametrize("path", ["/", "/careers/", "/careers/gauge-keeper/"])
def test_any_query_string_is_answered_without_an_error(
    client: Client, job: Any, path: str, query: str
) -> None:
    assert client.get(f"{path}?{query}").status_code == 200


def test_unknown_host_header_is_refused(client: Client, home: Any) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
