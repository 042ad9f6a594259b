"""The sentences for findings about what pages show. They register when this module is imported."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.operations.words import Facts, Words, says
from home.bidi import isolated, joined, listed


@says("content")
def _content(facts: Facts) -> Words:
    company = _("company settings")
    fields = {"accent_colour": _("the accent colour"), "time_zone": _("the time zone")}
    named = [fields[name] for (name,) in facts.get("settings", [])]
    for kind, words in (
        ("pictures", _("the picture “%(title)s” (%(page)s)")),
        ("documents", _("the document “%(title)s” (%(page)s)")),
    ):
        named += [
            words % {"title": isolated(title), "page": isolated(page) or company}
            for title, page in facts.get(kind, [])
        ]
    named += [
        _("links to something that was deleted (%(page)s)") % {"page": isolated(page) or company}
        for (page,) in facts.get("links", [])
    ]
    return Words(
        _("Pages are shown without some of their content: %(list)s.") % {"list": joined(named)},
        _("Replace the files under Images or Documents, or edit the page or settings in brackets."),
    )


@says("published-too-late")
def _published_too_late(facts: Facts) -> Words:
    return Words(
        ngettext(
            "The schedule published %(count)d job after it had closed: %(jobs)s. Nobody can apply.",
            "The schedule published %(count)d jobs after they had closed: %(jobs)s. Nobody can "
            "apply.",
            facts["count"],
        )
        % {"count": facts["count"], "jobs": listed(facts["jobs"], facts["count"])},
        _("Change the closing time, or unpublish the page."),
    )


@says("fonts-damaged")
def _fonts_damaged(facts: Facts) -> Words:
    return Words(
        _("Fonts can’t be read: %(fonts)s. Pages and PDFs use other fonts instead.")
        % {"fonts": listed(facts["fonts"])},
        _("Install this release again, or correct the fonts in the directory of your own files."),
    )
