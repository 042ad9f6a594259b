"""The picture that messaging apps show with a link to a job: its title, drawn on the server.

1200 by 630 pixels, the size that apps that read https://ogp.me expect. A picture is drawn once for
each content, and only for public jobs.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe
from PIL import Image, ImageDraw, ImageFont

from careers import documents
from careers.jobs.models import JobPage
from home.bidi import joined
from home.colour import LIGHT_GROUND, shades
from home.values.text import clean

SIZE = (1200, 630)
#: Increase it when the drawing changes, so that no cache shows an old one.
EDITION = 1
DAY = 24 * 60 * 60  # seconds

PAPER, INK, MUTED = "#fbfaf7", "#191a1c", "#595a5e"
MARGIN, BAND = 80, 20
#: Sizes of the title in pixels, and how many lines of each fit.
TITLES = ((88, 3), (72, 4), (55, 5))
LEADING = 1.14
#: The share of its letters that a text needs to be drawn.
ENOUGH = 0.8

SCRIPTS = (
    "latin",
    "latin-ext",
    "vietnamese",
    "greek",
    "greek-ext",
    "cyrillic",
    "cyrillic-ext",
    "hebrew",
    "arabic",
)


@dataclass(frozen=True)
class Card:
    """The content of the picture.

    Attributes:
        company: the hiring organization.
        title: the job; up to 255 characters of any script.
        facts: location, workplace and employment in one line.
        accent: the site's colour as ``#rrggbb``.
    """

    company: str
    title: str
    facts: str
    accent: str

    @property
    def version(self) -> str:
        """Changes whenever the picture changes; part of its address."""
        content = json.dumps([EDITION, asdict(self)], sort_keys=True)
        return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]


def card(job: JobPage) -> Card:
    """The content of the picture of a job."""
    facts = [joined(job.location_names), job.workplace_label, job.employment_label]
    return Card(
        company=job.organisation,
        title=job.title,
        facts=" · ".join(fact for fact in facts if fact),
        accent=job.company.accent,
    )


def address(job: JobPage) -> str:
    """The path of the picture of a job; it changes when the picture changes."""
    with translation.override(job.locale.language_code):
        return f"{reverse('share_image', args=[job.job_key])}?v={card(job).version}"


@require_safe
def share_image(request: HttpRequest, job_key: UUID) -> HttpResponseBase:
    """The picture of an open job in the language of the address.

    Caches may keep it for a year if the query has the current version, else for five minutes.
    """
    language = translation.get_language()
    job = (
        JobPage.objects.open()
        .filter(translation_key=job_key, locale__language_code=language)
        .select_related("locale")
        .first()
    )
    if job is None:
        raise Http404
    shown = card(job)
    key = f"share-image:{shown.version}"
    etag = f'"{shown.version}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        response = unchanged
    else:
        picture = cache.get(key)
        if picture is None:
            picture = draw(shown)
            cache.set(key, picture, DAY)
        response = HttpResponse(picture, content_type="image/png")
    response["ETag"] = etag
    if request.GET.get("v") == shown.version:
        patch_cache_control(response, public=True, max_age=365 * DAY, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=300)
    return response


def draw(shown: Card) -> bytes:
    """The picture as PNG. Letters that none of our fonts has are left out."""
    colours = shades(shown.accent, LIGHT_GROUND)
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, SIZE[0], BAND), fill=colours.fill)
    width = SIZE[0] - 2 * MARGIN
    company, title = Text(shown.company, 650), Text(shown.title, 650)
    if title.is_whole:
        if company.is_whole:
            company.line(pen, 36, MARGIN + 20, colours.words, width)
    elif company.is_whole:
        title = company
    if title.is_whole:
        size, lines = title.set_in(width)
        top = MARGIN + 88
        for number, words in enumerate(lines):
            title.place(pen, words, size, top + round(number * size * LEADING), INK, width)
    facts = Text(shown.facts, 400)
    if facts.is_whole:
        facts.line(pen, 34, SIZE[1] - MARGIN - 40, MUTED, width)
    into = io.BytesIO()
    # A palette makes it a third as large; this method takes a tenth of the usual one's time.
    picture.quantize(64, method=Image.Quantize.FASTOCTREE).save(into, "PNG")
    return into.getvalue()


class Text:
    """A text, set in those of our fonts that have its letters.

    The first letter gives the direction of the words, the script that of the letters in a word.
    """

    def __init__(self, text: str, weight: int) -> None:
        composed = clean(text)
        self._weight = weight
        kept = "".join(letter for letter in composed if _font_for(letter, weight) is not None)
        self.text = " ".join(kept.split())
        self._rightwards = _first_direction(self.text) != "right to left"
        wanted = sum(not letter.isspace() for letter in composed)
        found = sum(not letter.isspace() for letter in self.text)
        #: Whether enough letters can be drawn to understand the text.
        self.is_whole = bool(found) and found >= ENOUGH * wanted

    def set_in(self, width: int) -> tuple[int, list[str]]:
        """The largest size of a title in which the text fits, and its lines."""
        for size, most in TITLES:
            lines = self._lines(size, width)
            if len(lines) <= most:
                return size, lines
        return size, [*lines[: most - 1], self._cut(" ".join(lines[most - 1 :]), size, width)]

    def line(self, pen: ImageDraw.ImageDraw, size: int, top: int, colour: str, width: int) -> None:
        """Draw it in one line, truncated to ``width`` pixels."""
        self.place(pen, self._cut(self.text, size, width), size, top, colour, width)

    def place(
        self,
        pen: ImageDraw.ImageDraw,
        words: str,
        size: int,
        top: int,
        colour: str,
        width: int,
    ) -> None:
        """Draw one line, from the side where its script begins."""
        runs = list(self._runs(words))
        if self._rightwards:
            left = float(MARGIN)
        else:
            left = MARGIN + width - self._width(words, size)
            runs.reverse()
        for script, letters in runs:
            font = _font(script, self._weight, size)
            # Aligned by the baseline: fonts of different scripts have different heights.
            pen.text((left, top + 0.9 * size), letters, font=font, fill=colour, anchor="ls")
            left += font.getlength(letters)

    def _lines(self, size: int, width: int) -> list[str]:
        lines: list[str] = [""]
        for word in self.text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self._width(longer, size) <= width:
                lines[-1] = longer
                continue
            while self._width(word, size) > width:
                # A word that is wider than the picture is broken.
                fitting = self._fitting(word, size, width)
                lines += [word[:fitting]]
                word = word[fitting:]
            lines.append(word)
        return [line for line in lines if line]

    def _cut(self, words: str, size: int, width: int) -> str:
        if self._width(words, size) <= width:
            return words
        kept = words[: self._fitting(words, size, width - size)]
        return kept.rstrip(" ,·–-") + "…"

    def _fitting(self, words: str, size: int, width: int) -> int:
        """How many letters fit; at least one, so that loops end."""
        low, high = 1, len(words)
        while low < high:
            middle = (low + high + 1) // 2
            if self._width(words[:middle], size) <= width:
                low = middle
            else:
                high = middle - 1
        return low

    def _width(self, words: str, size: int) -> float:
        return sum(
            _font(script, self._weight, size).getlength(letters)
            for script, letters in self._runs(words)
        )

    def _runs(self, words: str) -> Iterable[tuple[str, str]]:
        """Runs of letters of one font, in reading order.

        From right to left, each word and each space is a run of its own, to be placed alone.
        """
        script, run = "", ""
        for letter in words:
            alone = not self._rightwards and " " in (letter, run)
            if script and not alone and ord(letter) in _letters(script, self._weight):
                run += letter
                continue
            if script:
                yield script, run
            # The ellipsis has a font only if ours for Latin can be read.
            script, run = _font_for(letter, self._weight) or "", letter
        if script:
            yield script, run


def _first_direction(text: str) -> str:
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return "right to left"
        if kind == "L":
            break
    return "left to right"


@functools.cache
def _file(script: str, weight: int) -> Path:
    return Path(finders.find(f"fonts/careers-sans-{script}-{weight}.woff2") or "/")


def _letters(script: str, weight: int) -> frozenset[int]:
    """The code points that a font has; none if it can't be read."""
    return documents.letters(_file(script, weight))


@functools.lru_cache(maxsize=64)
def _font(script: str, weight: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_file(script, weight), size)


def _font_for(letter: str, weight: int) -> str | None:
    """The script whose font has a letter; None if no font of ours has it."""
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return None
    return next((script for script in SCRIPTS if ord(letter) in _letters(script, weight)), None)
