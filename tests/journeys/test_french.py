"""A French applicant, and HR who reads English."""

from __future__ import annotations

import email
import email.policy
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from careers.management.commands.seed_demo import key
from tests.support.browsing import PHONE, Watch, fits, log_in, violations
from tests.support.processes import until
from tests.support.stack import Stack, a_cv

JOB = "calibration-technician"
QUESTION = "Which shift would suit you?"
ADDRESS = "jeanne.journey@example.org"


@pytest.fixture
def cv(tmp_path: Path) -> Path:
    path = tmp_path / "Vie de Jeanne.pdf"
    path.write_bytes(a_cv("Jeanne étalonne"))
    return path


def check(page: Page) -> None:
    """Check a French page on a phone: no violations, fits the screen."""
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert violations(page) == []
    assert fits(page)


def test_french_application_stays_french_and_is_listed_beside_an_english_one(
    site: Stack, page: Page, browser: Browser, watch: Watch, cv: Path
) -> None:
    english = site.apply(
        name="Jane Journey",
        job=JOB,
        **{f"q-{key(JOB, QUESTION)}": key(JOB, QUESTION, "Late")},
    )
    assert english.status == 303

    phone = browser.new_context(viewport=PHONE, base_url=site.url, locale="fr-FR")
    watch.follow(phone)
    reference, receipt = apply_in_french(phone.new_page(), cv)
    read_the_mail(site, receipt)
    read_the_pdf(site, receipt)
    phone.close()

    log_in(page, "hanna", "hanna-of-tests")
    page.goto("/admin/applications/")
    for name in ("Jane Journey", "Jeanne Journée"):
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text("Calibration technician")
    page.get_by_role("link", name="Jeanne Journée").click()
    answers = page.locator(".bo-answers")
    expect(page.get_by_role("main").get_by_text(reference).first).to_be_visible()
    expect(answers.get_by_text("Quelle équipe vous conviendrait")).to_be_visible()
    expect(answers.get_by_text(QUESTION)).to_be_visible()
    expect(answers.get_by_text("Matin")).to_be_visible()
    expect(answers.get_by_text("Early")).to_be_visible()
    assert violations(page, "#main") == []


def apply_in_french(page: Page, cv: Path) -> tuple[str, str]:
    """Apply in French; returns the reference and the address of the receipt."""
    # The address decides, not the browser: there is a link to the other language.
    page.goto("/")
    assert page.evaluate("document.documentElement.lang") == "en"
    link = page.get_by_role("link", name="Français")
    box = link.bounding_box()
    assert box
    assert box["height"] >= 44
    link.click()
    expect(page).to_have_url(re.compile("/fr/$"))
    check(page)
    page.get_by_role("link", name="Offres d’emploi", exact=True).click()
    # How many depends on what other journeys have published before.
    only_english = re.compile(r"^\d+ autres offres ne sont rédigées qu’en anglais\.")
    expect(page.get_by_text(only_english)).to_be_visible()
    check(page)
    page.get_by_role("link", name="Technicien·ne en étalonnage").click()
    expect(page.get_by_role("heading", level=1, name="Technicien·ne en étalonnage")).to_be_visible()
    check(page)

    page.get_by_label("Nom complet").fill("Jeanne Journée")
    page.get_by_label("Adresse e-mail").fill(ADDRESS)
    page.locator("#id_cv").set_input_files(cv)
    page.get_by_role("button", name="Envoyer ma candidature").click()
    expect(page.get_by_role("heading", name="Il y a un problème")).to_be_visible()
    summary = "Choisissez une réponse à «\u202fQuelle équipe vous conviendrait\u202f?\u202f»."
    expect(page.get_by_role("link", name=summary)).to_be_visible()
    expect(page.get_by_text("Nous avons ce fichier.")).to_be_visible()
    check(page)

    page.get_by_label("Matin").check()
    page.get_by_role("button", name="Envoyer ma candidature").click()
    expect(
        page.get_by_role("heading", name="Nous avons bien reçu votre candidature")
    ).to_be_visible()
    expect(page.get_by_text("Vie de Jeanne.pdf")).to_be_visible()
    expect(page).to_have_url(re.compile("/fr/received/"))
    check(page)
    return page.locator("#reference").inner_text(), page.url


def read_the_mail(site: Stack, receipt: str) -> None:
    until(lambda: site.smtp.mails(to=ADDRESS), 60, "no receipt was mailed")
    [mail] = site.smtp.mails(to=ADDRESS)
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert message["Subject"].startswith("Nous avons bien reçu votre candidature")
    assert message["Content-Language"] == "fr"
    text = message.get_body(("plain",)).get_content()
    assert receipt in text
    assert "Matin" in text
    assert "Vous n’avez rien à faire pour l’instant." in " ".join(text.split())


def read_the_pdf(site: Stack, receipt: str) -> None:
    path = receipt.removeprefix(site.url) + "application.pdf"
    until(lambda: site.get(path)[0] == 200, 60, "no PDF was made")
    pages = PdfReader(io.BytesIO(site.get(path)[2])).pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    for words in ("Technicien·ne en étalonnage", "Jeanne Journée", "Quelle équipe", "Matin"):
        assert words in text
    assert "Which shift" not in text
    assert "Applicant" not in text
