"""What a person typed is what is stored, archived, mailed and shown, in every script."""

from __future__ import annotations

import html
import itertools
import json
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from careers.applications.models import Application
from careers.archive.manifest import manifest
from careers.documents import Branding
from careers.documents.document import document_for
from careers.documents.html import to_html
from careers.notifications import messages
from careers.notifications.messages import Identity
from home.bidi import isolated
from home.values import name as names
from home.values import text as texts
from tests.support.applying import ask, send
from tests.support.people import ada, logged_in

pytestmark = pytest.mark.django_db
#: Letters, marks and joiners of scripts.
SCRIPTS = {
    "Latin": "aAéßłøŒ’-e\u0301o\u0302\u0309",
    "Greek": "αΩσςά",
    "Cyrillic": "яЁйїѓ\u0301",
    "Armenian": "աՖև",
    "Georgian": "აჰႠ",
    "Hebrew": "אבש\u05c1\u05b8",
    "Arabic": "عبدﷲ\u064e\u0651٣",
    "Persian": "می\u200cخواهم",
    "Devanagari": "क्\u200dषिं",
    "Bengali": "ক্ষো",
    "Tamil": "கொ்",
    "Malayalam": "ണ്\u200dമ",
    "Sinhala": "ශ්\u200dර",
    "Thai": "กำู้\u200b",
    "Khmer": "ខ្មែ\u200b",
    "Burmese": "မြန်",
    "Tibetan": "བསྟཧཱུྃ",
    "Ethiopic": "አማር",
    "Mongolian": "ᠮᠣ\u180b",
    "Chinese": "李龍葛\U000e0100",
    "Japanese": "山カがﾊﾟ\u3099",
    "Korean": "한\u1112\u1161\u11ab",
    "emoji": "👩\u200d⚕\ufe0f🇩🇪",
    "signs": "<b>&amp;\"'=+%{}\\`",
}
#: What address books, word processors and attackers add.
NOISE = "\u200b\ufeff\u00ad\u200e\u202e\u2066\x07\u00a0 \u0301"

NUMBERS = itertools.count()


def typed_in(script: str) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(SCRIPTS[script] + NOISE), min_size=1, max_size=12)


@pytest.fixture
def job(job: Any) -> Any:
    """A job that asks a question for each script."""
    job.ask_cv = "off"
    questions = [ask("short_text", script, key=script) for script in SCRIPTS]
    job.questions = [*questions, ask("long_text", "All", key="all")]
    job.save_revision().publish()
    return job


@pytest.fixture
def reader() -> Client:
    """A browser in which an administrator is signed in."""
    return logged_in(ada())


def words_of(page: Any) -> str:
    return html.unescape(page.content.decode())


@settings(
    max_examples=3, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted(SCRIPTS)).flatmap(typed_in).filter(names.clean),
    lines=st.fixed_dictionaries({script: typed_in(script) for script in SCRIPTS}),
)
@example(name="\u202eשרה\u202c \u200bכהן", lines={"Arabic": "\u202eعبد\u202c x"})
@example(name="A" + "\u0317" * 90, lines={"Latin": "\u0317" * 90 + "B\r\n"})
def test_typed_text_is_the_same_everywhere(
    job: Any, client: Client, reader: Client, name: str, lines: dict[str, str]
) -> None:
    whole = "\n".join(lines.values())
    entered = {f"q-{script}": text for script, text in lines.items()}
    # The same content from the same address would be a repetition, and have the first receipt.
    entered |= {"q-all": whole, "email": f"{next(NUMBERS)}@example.org"}
    answer = send(client, job, cv=None, name=name, **entered)
    assert answer.status_code == 303

    application = Application.objects.get(receipt_secret=answer["Location"].split("/")[2])
    stored = {script: texts.clean(text) for script, text in lines.items()}
    assert application.name == names.clean(name)
    assert {key: application.answers[key] for key in lines} == stored
    assert application.answers["all"] == texts.clean(whole, lines=True)

    archived = json.loads(manifest(application, []))
    assert archived["applicant"]["name"] == application.name
    assert archived["answers"] == application.answers

    paper = html.unescape(to_html(document_for(application, Branding("Acme", "#123456"))))
    mail = messages.hr_application(
        application, "hr@example.org", identity=Identity("Acme"), admin_url="https://x.example/"
    )
    sent = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    assert application.shown_name in mail.subject == sent["Subject"].strip()
    assert application.shown_name in sent.get_body(("plain",)).get_content()

    pages = {
        "list": words_of(reader.get("/admin/applications/")),
        "detail": words_of(reader.get(f"/admin/applications/{application.reference}/")),
        "receipt": words_of(client.get(answer["Location"])),
    }
    assert all(application.shown_name in page for page in pages.values())
    for script, text in stored.items():
        assert texts.clean(text) in paper, script
        assert isolated(text) in pages["detail"], script
        assert isolated(text) in pages["receipt"], script
    assert not set("\u202d\u202e\u2066\u2067") & set("".join([paper, *pages.values()]))
