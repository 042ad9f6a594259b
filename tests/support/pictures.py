"""The pictures in ``docs/pictures``, of a demo site of their own: ``bin/pictures [NAME…]``.

Every picture is one line of ``PICTURES``; a test holds that the files are exactly these and
that some document shows each.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.processes import until
from tests.support.stack import ROOT, Receipt, Stack, a_cv, shared_template

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = ROOT / "docs" / "pictures"
WIDE, PHONE = 1280, 360
#: Of a picture, in pixels; what is longer is cut.
LONGEST = 2400
#: Bytes of one file, and of all.
FILE_LIMIT, TOTAL_LIMIT = 150_000, 4_000_000
#: A long pause before the next attempt, so that a page can be shown while one is due.
PAUSES = {"PIPELINE_BACKOFF_BASE": "900", "DEFAULT_FROM_EMAIL": "jobs@example.org"}
PASSWORDS = {"admin": "admin-of-tests", "hanna": "hanna-of-tests"}

#: The height of the whole content of a page.
HEIGHT = """Math.max(...[document.documentElement, ...document.querySelectorAll("body, main, \
.wrapper, .content-wrapper, .content")].map(element => element.scrollHeight))"""

Act = Callable[["Page", "Demo"], None]


def nothing(page: Page, demo: Demo) -> None:
    """The page without any action."""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: of the file, without ``.png``.
        path: the page; ``{…}`` names a fact of the demo.
        who: is logged in; "" for a visitor.
        act: what is done on the page before the picture.
        width, longest: in pixels.
        part: a CSS selector, to show only that.
    """

    name: str
    path: str
    who: str = ""
    act: Act = nothing
    width: int = WIDE
    longest: int = LONGEST
    dark: bool = False
    part: str = ""


class Demo:
    """A site with some applications in all kinds of states.

    Attributes:
        facts: what the paths of pictures may name.
    """

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack, self.browser = stack, browser
        self.cv = stack.var / "CV Ada Nwosu.pdf"
        self.cv.write_bytes(a_cv("Ada Nwosu", size=240_000))
        self.facts: dict[str, str] = {}

    def fill(self) -> None:
        """Let people apply while several things fail, then let operators be alerted.

        Until then no sweeper runs: its mails and probes would meet the same mail server.
        """
        stack = self.stack
        stack.start("web", "cpu", "io")
        done, french = self.apply_as_ada(), self.apply_as_camille()
        self.facts |= {"receipt": done.location, "recu": french.location}
        people = [done, french]
        for name, email in (("Bjørn Åsen", "bjorn"), ("Elif Şahin", "elif")):
            people.append(stack.apply(name=name, email=f"{email}@example.org"))
        stack.wait_for_end(people)
        self.note("done", done)
        self.note("french", french)
        for fact, name, mode in (
            ("failed", "Chloé Lefèvre", "rcpt_550"),
            ("uncertain", "Diego Peña", "close_after_dot"),
        ):
            if fact == "failed":
                stack.smtp.mode = mode
            else:
                stack.smtp.once(mode)
            receipt = stack.apply(name=name, email=f"{fact}@example.org")
            stack.wait_for_end([receipt])
            stack.smtp.mode = "ok"
            self.note(fact, receipt)
            self.facts[f"{fact}-hr-step"] = str(stack.step(receipt, "mail_hr")["id"])
        for fact, name, mode in (
            ("locked", "Fionn O’Shea", "mail_530"),
            ("busy", "Greta Holm", "rcpt_450"),
        ):
            stack.smtp.mode = mode
            receipt = stack.apply(name=name, email=f"{fact}@example.org")
            until(
                lambda receipt=receipt: list(self.states(receipt)) == ["retrying"] * 2,
                60,
                "the mails do not wait for their next attempt",
            )
            self.note(fact, receipt)
        stack.smtp.mode = "ok"
        # The field that people do not see.
        held = stack.apply(name="Best Watches", email="sales@example.org", more="watches")
        until(
            lambda: stack.states(held)["archive"] == "succeeded", 60, "the archive was not written"
        )
        self.note("held", held)
        for fact, stage in (("done", "interview"), ("failed", "reviewing")):
            stack.query(
                "UPDATE careers_application SET review_stage = %s WHERE reference = %s",
                stage,
                self.facts[fact],
            )
        stack.change_content(
            "UPDATE careers_jobpage SET closes_at = '2026-11-20 16:00:00' WHERE page_ptr_id IN"
            " (SELECT id FROM wagtailcore_page WHERE slug = 'people-partner')"
        )
        stack.query("UPDATE auth_user SET email = 'admin@example.org' WHERE username = 'admin'")
        stack.start("sweeper", "beat")
        until(lambda: stack.smtp.mails(to="admin@example.org"), 180, "no alert came")
        for row in stack.query(
            "SELECT p.id, p.slug, l.language_code AS language FROM wagtailcore_page p"
            " JOIN wagtailcore_locale l ON l.id = p.locale_id"
        ):
            self.facts[f"{row['slug']}-{row['language']}"] = str(row["id"])

    def states(self, receipt: Receipt) -> list[str]:
        """The states of an application's mails."""
        return [step["state"] for step in self.stack.steps(receipt) if "mail" in step["kind"]]

    def note(self, fact: str, receipt: Receipt) -> None:
        self.facts[fact] = str(self.stack.application(receipt)["reference"])

    def apply_as_ada(self) -> Receipt:
        """An application with answers, as a person writes them."""
        page = self.page(WIDE)
        page.goto("/careers/firmware-engineer/")
        write_as_ada(page, self)
        page.get_by_label("Code or writing").fill("https://example.org/ada/tide-clock")
        page.get_by_role("button", name="Send application").click()
        page.wait_for_url("**/received/**")
        location = page.url.removeprefix(self.stack.url)
        page.context.close()
        return Receipt(303, location, 0, "ada@example.org")

    def apply_as_camille(self) -> Receipt:
        """An application in French."""
        page = self.page(WIDE)
        page.goto("/fr/careers/field-technician-lyon/")
        page.get_by_label("Nom complet").fill("Camille Roux")
        page.get_by_label("Adresse e-mail").fill("camille@example.org")
        page.get_by_label("Numéro de téléphone").fill("+33 4 72 00 00 00")
        page.get_by_role("radio", name="Oui").check()
        page.get_by_role("textbox", name="Sur quoi avez-vous travaillé").fill(
            "Vingt limnimètres sur la Saône, et la crue de 2021."
        )
        page.get_by_role("button", name="Envoyer ma candidature").click()
        page.wait_for_url("**/received/**")
        location = page.url.removeprefix(self.stack.url)
        page.context.close()
        return Receipt(303, location, 0, "camille@example.org")

    def page(self, width: int, *, dark: bool = False, who: str = "") -> Page:
        """An empty page of the browser, logged in or not."""
        context = self.browser.new_context(
            base_url=self.stack.url,
            viewport={"width": width, "height": 740 if width == PHONE else 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Oslo",
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        if who:
            page.goto("/admin/login/")
            page.get_by_label("Username").fill(who)
            page.get_by_label("Password").fill(PASSWORDS[who])
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.wait_for_url("**/admin/")
        return page

    def mail(self, subject: str) -> EmailMessage:
        """The first mail with these words in its subject."""
        for mail in self.stack.smtp.mails():
            message = message_from_bytes(mail.content, policy=policy.default)
            if subject in str(message["Subject"]):
                return message
        raise LookupError(subject)

    def take(self, picture: Picture) -> bytes:
        """One picture as PNG with few colours."""
        page = self.page(picture.width, dark=picture.dark, who=picture.who)
        page.goto(picture.path.format_map(self.facts))
        picture.act(page, self)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        if picture.part:
            content = page.locator(picture.part).first.screenshot()
        else:
            # Wagtail scrolls inside the page, and sticky elements would lie in its
            # middle: so the window becomes as high as what is in it.
            height = min(page.evaluate(HEIGHT), picture.longest)
            page.set_viewport_size({"width": picture.width, "height": height})
            content = page.screenshot()
        page.context.close()
        return small(content)


def small(content: bytes) -> bytes:
    """A PNG with a palette, as small as it gets below the limit."""
    from PIL import Image

    image = Image.open(io.BytesIO(content)).convert("RGB")
    for colours in (128, 64, 32):
        written = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        if written.tell() <= FILE_LIMIT:
            break
    return written.getvalue()


# ── What is done before a picture ───────────────────────────────────────────────────────


def write_as_ada(page: Page, demo: Demo) -> None:
    """Ada's answers, but for the last."""
    page.get_by_label("Full name").fill("Ada Nwosu")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.locator("#id_cv").set_input_files(demo.cv)
    page.get_by_label("More than two years").check()
    page.get_by_role("textbox", name="Tell us about a bug").fill(
        "A gauge in Tromsø lost one reading every nine days. The watchdog and the tide shared "
        "a timer.\n\nIt took three weeks and a borrowed oscilloscope."
    )
    page.get_by_role("radio", name="Yes").first.check()


def send_with_errors(page: Page, demo: Demo) -> None:
    """A form with a good file and two mistakes."""
    write_as_ada(page, demo)
    page.get_by_label("Full name").fill("")
    page.get_by_label("Code or writing").fill("my drawer")
    page.locator("form").first.evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Send application").click()
    page.get_by_role("heading", name="There is a problem").wait_for()


def show_pdf(fact: str) -> Act:
    """The first page of an applicant's PDF."""

    def act(page: Page, demo: Demo) -> None:
        import pypdfium2

        (key,) = demo.stack.query(
            "SELECT object_key FROM careers_applicationfile f JOIN careers_application a"
            " ON a.id = f.application_id WHERE a.reference = %s AND kind = 'pdf'",
            demo.facts[fact],
        )
        pdf = pypdfium2.PdfDocument(demo.stack.object(key["object_key"]))
        path = demo.stack.var / "page.png"
        pdf[0].render(scale=1.6).to_pil().save(path)
        pdf.close()
        page.goto("about:blank")
        _picture_of_paper(page, path)

    return act


def _picture_of_paper(page: Page, path: Path) -> None:
    from base64 import b64encode

    source = f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}"
    page.set_content(
        '<body style="margin:0;padding:24px;background:#d9dcde">'
        f'<img src="{source}" style="display:block;margin:auto;box-shadow:0 1px 6px #0004">'
    )


def show_mail(subject: str) -> Act:
    """The mail with these words in its subject, below the lines that mail programs show."""

    def act(page: Page, demo: Demo) -> None:
        from html import escape

        mail = demo.mail(subject)
        part = mail.get_body(["html"])
        assert part is not None
        page.goto("about:blank")
        page.set_content(part.get_content())
        rows = "".join(
            f"<div><b>{name}</b> {escape(str(mail[name]))}</div>"
            for name in ("From", "To", "Reply-To", "Subject")
            if mail[name]
        )
        page.evaluate(
            """rows => document.body.insertAdjacentHTML("afterbegin",
            `<div style="font:15px/1.6 sans-serif;padding:12px 24px;background:#eceff1;color:#222">
            ${rows}</div>`)""",
            rows,
        )

    return act


def open_form_tab(page: Page, demo: Demo) -> None:
    page.get_by_role("tab", name="Application form").click()
    page.locator("#questions-0-value-label").wait_for()


def open_kinds_of_questions(page: Page, demo: Demo) -> None:
    open_form_tab(page, demo)
    page.get_by_role("button", name="Insert a block").first.click()
    page.get_by_role("option", name="Long text").wait_for()


def open_publishing(page: Page, demo: Demo) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish", exact=True).wait_for()


def open_schedule(page: Page, demo: Demo) -> None:
    page.get_by_role("button", name="Toggle status").click()
    page.get_by_role("button", name="Set schedule").click()
    page.get_by_text("Choose when this page should go live").wait_for()


def wait_for_translations(page: Page, demo: Demo) -> None:
    page.get_by_role("button", name="Edit").first.wait_for()


# ── The pictures ────────────────────────────────────────────────────────────────────────

PICTURES = (
    # What applicants see
    Picture("home", "/"),
    Picture("home-phone", "/", width=PHONE, longest=1400),
    Picture("home-dark", "/", dark=True, longest=900),
    Picture("jobs", "/careers/"),
    Picture("jobs-phone", "/careers/", width=PHONE, longest=1400),
    Picture("jobs-filtered", "/careers/?department=engineering&workplace=hybrid"),
    Picture("job", "/careers/firmware-engineer/"),
    Picture("job-phone", "/careers/firmware-engineer/", width=PHONE, longest=1600),
    Picture("job-phone-dark", "/careers/firmware-engineer/", width=PHONE, longest=1600, dark=True),
    Picture("job-closed", "/careers/people-partner/"),
    Picture("not-found", "/careers/no-such-job/"),
    Picture("form-errors", "/careers/firmware-engineer/", act=send_with_errors),
    Picture("form-errors-phone", "/careers/firmware-engineer/", act=send_with_errors, width=PHONE),
    Picture("receipt", "{receipt}"),
    Picture("receipt-phone", "{receipt}", width=PHONE, longest=1600),
    Picture("pdf", "/health/live", act=show_pdf("done"), width=1010),
    Picture("receipt-mail", "/health/live", act=show_mail("We have your application"), width=760),
    Picture("hr-mail", "/health/live", act=show_mail("Application for"), width=760),
    # The same in French
    Picture("home-fr", "/fr/", longest=1100),
    Picture("job-fr-phone", "/fr/careers/field-technician-lyon/", width=PHONE, longest=1600),
    Picture("receipt-fr", "{recu}"),
    Picture("pdf-fr", "/health/live", act=show_pdf("french"), width=1010),
    Picture("receipt-mail-fr", "/health/live", act=show_mail("candidature :"), width=760),
    # What HR sees
    Picture("wagtail-home", "/admin/", who="hanna", longest=900),
    Picture("job-editor", "/admin/pages/{firmware-engineer-en}/edit/", who="hanna", longest=1800),
    Picture(
        "job-editor-form",
        "/admin/pages/{firmware-engineer-en}/edit/",
        who="hanna",
        act=open_form_tab,
        longest=1800,
    ),
    Picture(
        "question-kinds",
        "/admin/pages/{firmware-engineer-en}/edit/",
        who="hanna",
        act=open_kinds_of_questions,
        longest=900,
    ),
    Picture(
        "job-publish",
        "/admin/pages/{firmware-engineer-en}/edit/",
        who="hanna",
        act=open_publishing,
        longest=900,
    ),
    Picture(
        "job-schedule",
        "/admin/pages/{firmware-engineer-en}/edit/",
        who="hanna",
        act=open_schedule,
        longest=900,
    ),
    Picture(
        "translate",
        "/admin/pages/{field-technician-lyon-fr}/edit/",
        who="hanna",
        act=wait_for_translations,
        longest=1400,
    ),
    Picture("applications", "/admin/applications/", who="hanna"),
    Picture("application", "/admin/applications/{done}/", who="hanna"),
    Picture("application-held", "/admin/applications/{held}/", who="hanna", longest=900),
    # What operators see
    Picture("tasks", "/admin/tasks/", who="admin"),
    Picture("tasks-dark", "/admin/tasks/", who="admin", dark=True),
    Picture("tasks-phone", "/admin/tasks/", who="admin", width=PHONE, longest=1600),
    Picture("task-done", "/admin/tasks/{done}/", who="admin"),
    Picture("task-failed", "/admin/tasks/{failed}/", who="admin"),
    Picture("task-unconfirmed", "/admin/tasks/{uncertain}/", who="admin", longest=1000),
    Picture("task-setting", "/admin/tasks/{locked}/", who="admin", longest=1000),
    Picture(
        "change-address", "/admin/tasks/{failed}/{failed-hr-step}/change-address/", who="hanna"
    ),
    Picture("operators-mail", "/health/live", act=show_mail("attention"), width=760),
    Picture("company", "/admin/settings/home/sitesettings/", who="admin"),
)


def chromium() -> str:
    """The system's browser: nothing is downloaded."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        sys.exit("No Chromium was found. Install it, or name one in CHROMIUM.")
    return program


def main(names: list[str]) -> None:
    """Take the given pictures, or all, and remove files that are no picture any more."""
    import django
    from playwright.sync_api import sync_playwright

    known = {picture.name for picture in PICTURES}
    if unknown := sorted(set(names) - known):
        sys.exit(f"There is no picture {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    # The template of the demo's database is that of the tests.
    os.environ["DJANGO_SETTINGS_MODULE"] = "careersite.settings.test"
    django.setup()
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with (
        tempfile.TemporaryDirectory(prefix="careers-pictures-") as directory,
        Stack(shared_template(), Path(directory), environ=PAUSES) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        demo = Demo(stack, browser)
        demo.fill()
        for picture in PICTURES:
            if not names or picture.name in names:
                content = demo.take(picture)
                (HERE / f"{picture.name}.png").write_bytes(content)
                print(f"{picture.name:24}{len(content) // 1000:5} kB", flush=True)
        browser.close()
    for path in HERE.glob("*.png"):
        if path.stem not in known:
            path.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
