"""The HTML of each type of question: labels, names, references between elements."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from careers.applications import question_types
from careers.applications.frozen import FrozenForm, Option, Question
from careers.forms.builder import ApplicationForm, field_name

pytestmark = pytest.mark.django_db

OPTIONS = (Option("a", "Apples & pears"), Option("b", "Beans"))
CONTEXT = {"upload_types": "PDF", "upload_limit": "10 MB", "upload_limit_bytes": 10485760}


class Elements(HTMLParser):
    """Every start tag as (name, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def render(question: Question, kept: Any = None, **sent: str | list[str]) -> str:
    """The HTML of one question; with ``sent``, as the form shows it again after an error."""
    frozen = FrozenForm("Job", "Company", "en", "UTC", (question,))
    data = QueryDict(mutable=True)
    for name, value in sent.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    form = ApplicationForm(frozen, job_key=uuid.uuid4(), data=data if sent else None)
    if sent:
        form.is_valid()
    if kept:
        form.kept[question.key] = kept
    field = form[field_name(question.key)]
    return render_to_string("careers/forms/field.html", {"field": field, **CONTEXT})


def ask(kind: str, **more: Any) -> Question:
    options = OPTIONS if "choice" in kind else ()
    return Question(
        **{"key": "k", "type": kind, "label": "What <now>?", "options": options, **more}
    )


@pytest.mark.parametrize("kind", [kind for kind in question_types.names() if kind != "note"])
def test_controls_have_labels_and_references_have_targets(kind: str) -> None:
    page = Elements(render(ask(kind, help="A hint & more", required=True), **{"q-k": ""}))
    ids = [attributes["id"] for _tag, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {attributes["for"] for attributes in page.all("label")}
    controls = [
        control
        for control in page.all("input", "select", "textarea")
        if control.get("type") != "hidden"
    ]
    assert controls
    assert all(control["id"] in labelled for control in controls)
    assert controls[0]["id"] == "id_q-k"
    assert all(control["name"] == "q-k" for control in controls)
    for _tag, attributes in page.found:
        for target in attributes.get("aria-describedby", "").split():
            assert target in ids
    tied = " ".join(attributes.get("aria-describedby", "") for _tag, attributes in page.found)
    assert "id_q-k-hint" in tied


@pytest.mark.parametrize("kind", [kind for kind in question_types.names() if kind not in ("note",)])
def test_error_is_referenced_by_its_control(kind: str) -> None:
    html = render(ask(kind, required=True), **{"q-k": ""})
    page = Elements(html)
    assert 'id="id_q-k-error"' in html
    assert any(
        "id_q-k-error" in attributes.get("aria-describedby", "") for _tag, attributes in page.found
    )
    assert page.all("input", "select", "textarea")[0]["aria-invalid"] == "true"


@pytest.mark.parametrize("kind", question_types.names())
def test_labels_and_hints_are_escaped(kind: str) -> None:
    html = render(ask(kind, help="<script>alert(1)</script>"))
    assert "What &lt;now&gt;?" in html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "kind", ["name", "email", "phone", "short_text", "long_text", "link", "number", "date"]
)
def test_typed_text_is_shown_again_escaped(kind: str) -> None:
    html = render(ask(kind), **{"q-k": '"><script>x</script>'})
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("kind", [kind for kind in question_types.names() if kind != "note"])
def test_optional_questions_are_marked(kind: str) -> None:
    assert "(optional)" in render(ask(kind))
    assert "(optional)" not in render(ask(kind, required=True))


def test_sent_date_is_shown_again() -> None:
    assert 'value="2027-03-31"' in render(ask("date"), **{"q-k": "2027-03-31"})


@pytest.mark.parametrize("typed", ["soon", "2027-02-30", "3/31/2027"])
def test_text_that_is_no_date_stays_visible(typed: str) -> None:
    # A date field shows nothing but dates.
    (control,) = Elements(render(ask("date"), **{"q-k": typed})).all("input")
    assert (control["type"], control["value"]) == ("text", typed)


def test_number_is_described_by_its_unit() -> None:
    html = render(ask("number", settings=(("unit", "h & min"),)))
    (control,) = Elements(html).all("input")
    assert control["aria-describedby"].split() == ["id_q-k-unit"]
    assert '<span class="amount__unit" id="id_q-k-unit">h &amp; min</span>' in html


def test_choice_between_two_numbers_is_labelled_and_stays_chosen() -> None:
    sent = {"q-k": "45.000", "meant-q-k": "45"}
    page = Elements(render(ask("number"), **sent))
    line, *radios = page.all("input")
    assert line["value"] == "45.000"
    assert [radio["value"] for radio in radios if "checked" in radio] == ["45"]
    assert {radio["id"] for radio in radios} < {label["for"] for label in page.all("label")}
    assert len(page.all("fieldset")) == len(page.all("legend")) == 1


@pytest.mark.parametrize(
    ("kind", "sent", "checked"),
    [
        ("single_choice", "b", ["b"]),
        ("multiple_choice", ["a", "b"], ["a", "b"]),
        ("yes_no", "no", ["no"]),
        ("consent", "on", ["on"]),
    ],
)
def test_sent_choice_is_checked_again(kind: str, sent: Any, checked: list[str]) -> None:
    boxes = Elements(render(ask(kind), **{"q-k": sent})).all("input")
    assert [box["value"] for box in boxes if "checked" in box] == checked


@pytest.mark.parametrize("kind", ["single_choice", "multiple_choice", "yes_no", "consent"])
def test_no_choice_is_checked_by_default(kind: str) -> None:
    assert not [box for box in Elements(render(ask(kind))).all("input") if "checked" in box]


def test_choices_are_one_fieldset_with_a_legend() -> None:
    for kind in ("single_choice", "multiple_choice", "yes_no"):
        page = Elements(render(ask(kind)))
        assert len(page.all("fieldset")) == len(page.all("legend")) == 1


def test_single_choice_with_many_options_is_a_menu() -> None:
    options = tuple(Option(str(number), f"Place {number}") for number in range(12))
    page = Elements(render(ask("single_choice", options=options), **{"q-k": "7"}))
    assert [option["value"] for option in page.all("option") if "selected" in option] == ["7"]


def test_controls_have_attributes_for_autofill_and_keyboard() -> None:
    control = Elements(render(ask("email"))).all("input")[0]
    assert (control["inputmode"], control["autocomplete"]) == ("email", "email")
    assert control["spellcheck"] == "false"
    assert Elements(render(ask("name"))).all("input")[0]["autocomplete"] == "name"
    assert Elements(render(ask("phone"))).all("input")[0]["autocomplete"] == "tel"
    assert Elements(render(ask("number"))).all("input")[0]["inputmode"] == "decimal"


def test_long_text_has_its_limit_for_the_counter() -> None:
    area = Elements(render(ask("long_text"))).all("textarea")[0]
    assert area["data-limit"] == "10000"


def test_kept_file_is_shown_and_can_be_removed() -> None:
    kept = SimpleNamespace(filename="<my> CV.pdf", size=2048, token='t"1')
    html = render(ask("file", required=True), kept=kept)
    inputs = {box["name"]: box for box in Elements(html).all("input")}
    assert inputs["kept-q-k"]["value"] == 't"1'
    assert inputs["drop-q-k"]["type"] == "checkbox"
    assert inputs["q-k"]["type"] == "file"
    assert "&lt;my&gt; CV.pdf" in html
    assert "2\xa0KB" in html


def test_file_names_accepted_types_and_size() -> None:
    html = render(ask("file"))
    assert "PDF; up to 10 MB." in html
    assert Elements(html).all("input")[0]["accept"].startswith(".pdf")


def test_note_has_no_control() -> None:
    page = Elements(render(ask("note", help="Two\nlines")))
    assert not page.all("input", "select", "textarea", "label")
