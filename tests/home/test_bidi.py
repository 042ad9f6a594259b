"""Text that changes direction stays within its own place, wherever it is shown."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from careers.documents.document import Branding, document_for
from careers.documents.html import to_html
from careers.jobs.taxonomy import Department, Location
from careers.notifications import messages
from careers.notifications.infected import infected_to_applicant, infected_to_hr
from careers.notifications.messages import Identity
from home.bidi import FSI, PDI, isolated, listed
from home.models import SiteSettings
from tests.support import people
from tests.support.applying import apply_for, ask, send
from tests.support.people import logged_in

HEBREW = "\u05e9\u05dc\u05d5\u05dd"
#: An override, an embedding that never ends, the end of an isolation that never began.
HOSTILE = f"Eve \u202egnp.xe\u202c \u202b{HEBREW} \u2069\u2066"
OVERRIDES = re.compile("[\u202a-\u202e\u2066\u2067]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("Zoë \U0001f469\u200d\U0001f4bb", "Zoë \U0001f469\u200d\U0001f4bb"),
        (HEBREW, FSI + HEBREW + PDI),
        ("\u202ecod.exe\u202c", "cod.exe"),
        ("a\u2069b\u2068c\u2066d\u2067e", "abcde"),
        ("Ada\u200f", "Ada"),
        ("", ""),
    ],
)
def test_isolated_contains_direction_and_removes_overrides(text: str, shown: str) -> None:
    assert isolated(text) == shown
    assert isolated(shown) == shown


@pytest.mark.parametrize(
    ("language", "names", "count", "text"),
    [
        ("en", [], 0, ""),
        ("en", ["Ada"], 0, "Ada"),
        ("en", ["Ada", "Bo"], 0, "Ada and Bo"),
        ("en", ["Ada", "Bo", "Cy"], 3, "Ada, Bo, and Cy"),
        ("en", ["Ada", "Bo"], 3, "Ada, Bo, and 1 other"),
        ("en", ["Ada"], 9, "Ada and 8 others"),
        ("fr", ["Ada", "Bo", "Cy"], 0, "Ada, Bo et Cy"),
        ("de", ["Ada", "Bo"], 0, "Ada und Bo"),
        ("ar", ["Ada", "Bo"], 0, "Ada وBo"),
        ("ja", ["Ada", "Bo", "Cy"], 0, "Ada、Bo、Cy"),
        ("en", [HEBREW, "\u202eBo"], 0, f"{FSI}{HEBREW}{PDI} and Bo"),
        ("en", ["{0}", "%s"], 0, "{0} and %s"),
    ],
)
def test_listed_joins_isolated_names_as_the_language_does(
    language: str, names: list[str], count: int, text: str
) -> None:
    with translation.override(language):
        found = listed(names, count)
    assert found == isolated(found) == text


def loose(text: str) -> list[str]:
    """The parts of a text in which the hostile name reaches what is around it."""
    found = [text[max(0, at.start() - 60) : at.start() + 20] for at in OVERRIDES.finditer(text)]
    for start in (match.start() for match in re.finditer(HEBREW, text)):
        before = text[:start]
        # Only a text that stands alone in its block needs no isolation; ours always has it.
        if before.rfind(FSI) <= before.rfind(PDI) or PDI not in text[start:]:
            found.append(text[max(0, start - 60) : start + 20])
    if text.count(FSI) != text.count(PDI):
        found.append("unbalanced")
    return found


@pytest.fixture
def application(job: Any) -> Any:
    SiteSettings.objects.update(company_name=HOSTILE)
    return apply_for(job, answers={"name": HOSTILE})


@pytest.mark.django_db
def test_hostile_name_is_isolated_on_every_page(client: Client, application: Any, job: Any) -> None:
    admin = logged_in(people.ada())
    reference = application.reference
    pages = {
        path: reader.get(path)
        for reader, path in (
            (admin, "/admin/applications/"),
            (admin, "/admin/applications/?q=Eve"),
            (admin, "/admin/applications/results/"),
            (admin, f"/admin/applications/{reference}/"),
            (admin, "/admin/applications/access-log/"),
            (admin, "/admin/tasks/"),
            (admin, f"/admin/tasks/{reference}/"),
            (admin, "/admin/"),
            (client, f"/received/{application.receipt_secret}/"),
        )
    }
    assert {page.status_code for page in pages.values()} == {200}
    shown = {path: html.unescape(page.content.decode()) for path, page in pages.items()}
    assert [path for path, text in shown.items() if "Eve" in text][:5] == list(pages)[:5]
    assert {path: loose(text) for path, text in shown.items() if loose(text)} == {}


@pytest.mark.django_db
def test_hostile_company_and_job_are_isolated_in_the_title_of_a_page(
    client: Client, application: Any, job: Any
) -> None:
    job.title = f"Keeper {HOSTILE}"
    job.save_revision().publish()
    page = html.unescape(client.get(job.url).content.decode())
    title = re.search("<title>(.*?)</title>", page, re.DOTALL)
    assert title
    assert title[1].count(HEBREW) == 2
    assert loose(title[1]) == []


class Blocks(HTMLParser):
    """The texts of a page that stand in one block each, with the elements in them."""

    INLINE = ("a", "b", "bdi", "br", "code", "em", "i", "input", "label", "small", "span", "strong")
    ICONS = ("svg", "use")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts = [""]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.INLINE + self.ICONS or tag == "br":
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, None)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.texts[-1] += data


def mixed(page: str) -> list[str]:
    """The blocks in which right-to-left text can reorder words or numbers."""
    texts = (" ".join(text.split()) for text in Blocks(page).texts)
    return [text for text in texts if re.search(r"\w", text.replace(HEBREW, "")) and loose(text)]


@pytest.mark.django_db
def test_right_to_left_words_of_hr_are_isolated_on_every_page(client: Client, job: Any) -> None:
    SiteSettings.objects.update(company_name=HEBREW, tagline=HEBREW)
    job.title = job.summary = job.contact_name = HEBREW
    job.contact_email = "hr@example.org"
    job.department = Department.objects.create(name=HEBREW, slug="a", locale=job.locale)
    job.locations = [Location.objects.create(name=HEBREW, slug=slug, country="IL") for slug in "ab"]
    choices = {"single_choice", "multiple_choice"}
    job.questions = [
        ask(kind, HEBREW, key=kind, options={"x": HEBREW, "y": HEBREW} if kind in choices else None)
        for kind in ("short_text", "long_text", "file", "consent", "yes_no", *choices)
    ]
    job.save_revision().publish()
    application = apply_for(
        job, answers={"name": HEBREW, "short_text": HEBREW, "single_choice": "x", "consent": True}
    )
    admin = logged_in(people.ada())
    pages = {
        path: html.unescape(reader.get(path).content.decode())
        for reader, path in (
            (client, "/"),
            (client, "/careers/"),
            (client, f"/careers/?q={HEBREW}&department=a"),
            (client, job.url),
            (client, f"/received/{application.receipt_secret}/"),
            (admin, "/admin/applications/"),
            (admin, f"/admin/applications/{application.reference}/"),
            (admin, "/admin/tasks/"),
            (admin, f"/admin/tasks/{application.reference}/"),
        )
    }
    pages["errors"] = html.unescape(send(client, job, email="", name=HEBREW).content.decode())
    assert {path: found for path, page in pages.items() if (found := mixed(page))} == {}


@pytest.mark.django_db
def test_hostile_name_is_isolated_in_mails(application: Any) -> None:
    identity = Identity(company=HOSTILE, contact_name=HOSTILE, contact_email="hr@example.org")
    mails = [
        messages.receipt(
            application,
            identity=identity,
            receipt_url="https://example.org/r/",
            renew_url="https://example.org/n/",
        ),
        messages.hr_application(
            application, "hr@example.org", identity=identity, admin_url="https://example.org/a/"
        ),
        infected_to_applicant(
            application,
            application.files.all(),
            identity=identity,
            receipt_url="https://example.org/r/",
        ),
        infected_to_hr(
            application,
            application.files.all(),
            "hr@example.org",
            identity=identity,
            admin_url="https://example.org/a/",
        ),
    ]
    assert HEBREW in mails[1].subject
    assert HEBREW in mails[3].subject
    for mail in mails:
        (page, _type) = mail.alternatives[0]
        for text in (mail.subject, str(mail.body), html.unescape(str(page))):
            assert loose(text) == []


@pytest.mark.django_db
def test_long_subject_ends_its_isolation(application: Any) -> None:
    application.form["job_title"] = HEBREW * 60
    mail = messages.hr_application(
        application, "hr@example.org", identity=Identity("Acme"), admin_url="https://x.example/"
    )
    assert len(mail.subject) <= messages.SUBJECT_LENGTH
    assert mail.subject.count(FSI) == mail.subject.count(PDI) > 0


@pytest.mark.django_db
def test_hostile_name_is_isolated_in_the_pdf(application: Any) -> None:
    page = html.unescape(to_html(document_for(application, Branding(HOSTILE, "#123456"))))
    assert OVERRIDES.findall(page) == []
    title = re.search("<title>(.*?)</title>", page, re.DOTALL)
    assert title
    assert loose(title[1]) == []
    # In the page each text has an element with its direction, which isolates it.
    assert re.search(rf'<span dir="ltr">Eve npg.exe|<span dir="ltr">Eve gnp.xe {HEBREW}', page)
