"""What a child process does with a file. Imported by the fork server, never by a web process."""

from __future__ import annotations

from typing import Any

from careers.inspection import deciding, rendering, text
from careers.inspection.verdicts import Refused


def judge(asked: dict[str, Any], content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        judged = deciding.decide(content)
    except Refused as refused:
        return {"refused": refused.verdict.value}, []
    return {"content_type": judged.content_type, "active": sorted(judged.active)}, []


def pages(asked: dict[str, Any], content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        shown = rendering.render(
            content, asked["content_type"], first=asked["first"], count=asked["count"]
        )
    except Refused as refused:
        return {"refused": refused.verdict.value}, []
    return {"total": shown.total, "text": shown.text}, list(shown.images)


def text_of(asked: dict[str, Any], content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        return {"text": text.read(content, asked["content_type"])}, []
    except Refused as refused:
        return {"refused": refused.verdict.value}, []


JOBS = {"judge": judge, "pages": pages, "text": text_of}
