"""The data map: what the site stores about people, and what becomes of it.

Every field of every model is declared once, in ``careers.retention.declarations``, as personal or
as plain. ``docs/privacy.md``, the page in the admin, exports and erasure read these declarations;
there is no second list. A field that nobody declared is reported by a system check.

Terms follow the GDPR: articles 4(1) (personal data), 5(1)(b) and (e) (purpose and storage
limitation), 6(1) (lawful basis), 15 (access), 17 (erasure) and 30 (records of processing).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models import Model
    from django.utils.functional import _StrPromise as Words


class Subject(enum.Enum):
    """Whose data it is."""

    APPLICANT = _("Applicants")
    STAFF = _("People who work in the admin")
    CONTACT = _("People whom the company names as contacts or recipients")


class Purpose(enum.Enum):
    """What the data is for, and the lawful basis."""

    APPLICATION = (_("To handle the application"), _("GDPR article 6(1)(b): before a contract"))
    PROOF = (
        _("To prove what the applicant was told and agreed to"),
        _("GDPR article 6(1)(c): articles 5(2) and 7(1) require the proof"),
    )
    ACCESS = (
        _("To show who read or changed an application"),
        _("GDPR article 6(1)(c): articles 5(2) and 32 require control of access"),
    )
    SECURITY = (
        _("To stop floods, spam and repeated applications"),
        _("GDPR article 6(1)(f): a site that works is in the interest of all"),
    )
    OPERATION = (
        _("To deliver mails and files, and to repair faults"),
        _("GDPR article 6(1)(f): no application may be lost"),
    )
    ACCOUNT = (_("To let people work in the admin"), _("GDPR article 6(1)(b): their employment"))
    HISTORY = (
        _("To show who changed what on the site"),
        _("GDPR article 6(1)(f): changes must be traceable"),
    )
    CONTACT = (
        _("To tell applicants and the site whom to write to"),
        _("GDPR article 6(1)(f): applicants need a contact"),
    )

    @property
    def title(self) -> Words:
        return self.value[0]

    @property
    def basis(self) -> Words:
        return self.value[1]


class Kept(enum.Enum):
    """How long the data stays."""

    APPLICATION = _("As long as the application")
    WINDOW = _("7 days")
    REPEAT = _("2 minutes, or as long as the application where the browser sent its own key")
    ARCHIVED = _("Until the copy in the bucket is verified, normally seconds")
    UPLOAD = _("24 hours, or 1 hour after it was sent")
    ACCOUNT = _("As long as the account")
    SESSION = _("Until the session ends")
    CONTENT = _("As long as the page, file or setting")
    LOG = _("As long as the object’s history")
    FAULT = _("Until the fault is over")
    MOMENTS = _("A few minutes")


class Reader(enum.Enum):
    """Who can see the data in the site."""

    APPLICANT = _("the applicant")
    HR = _("people who may read the application")
    AUDITORS = _("people who may see the access log")
    OPERATORS = _("people who may see its steps")
    EDITORS = _("people who may edit the page")
    ADMINISTRATORS = _("administrators")
    OWNER = _("the person themselves")
    PUBLIC = _("everybody")


class Erasure(enum.Enum):
    """How the data is erased."""

    ROW = _("The row is deleted")
    EMPTIED = _("The field is emptied")
    NAME = _("The name is removed, and the entry stays")
    ACCOUNT = _("The row is deleted with the account")
    DETACHED = _("The link to the account is removed with the account")
    EDIT = _("A person changes the text")
    EXPIRES = _("It is deleted when its time is over")


@dataclass(frozen=True)
class Personal:
    """What is declared about one personal field.

    Attributes:
        what: what the field holds, in the reader's words.
        exported: whether an export for the person contains it. Secrets and hashes are not exported.
    """

    what: Words | str
    purpose: Purpose
    kept: Kept
    readers: tuple[Reader, ...]
    erased: Erasure
    exported: bool = True

    def but(self, what: Words, **changes: object) -> Personal:
        """The same with another content, and with what differs."""
        return replace(self, what=what, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Declaration:
    """What is declared about one model.

    Attributes:
        label: the model, as ``app.Model``.
        title: the model in the reader's words; "" where no field is personal.
        personal: by the field's name.
        plain: the names of all other fields.
        path: the lookup from the model to the application its rows belong to; "" for the
            application itself, None where its rows belong to none.
    """

    label: str
    title: Words | str
    subject: Subject | None
    personal: Mapping[str, Personal]
    plain: frozenset[str]
    path: str | None


_declared: dict[str, Declaration] = {}


def declare(
    label: str,
    title: Words | str = "",
    *,
    subject: Subject | None = None,
    personal: Mapping[str, Personal] | None = None,
    plain: str = "",
    path: str | None = None,
) -> None:
    """Declare every field of a model. Extension apps call this in their ``ready``.

    Args:
        label: the model, as ``app.Model``.
        plain: the names of the fields that say nothing about a person, separated by spaces. The
            primary key and foreign keys to anything but an account need no declaration.

    Raises:
        ValueError: the model is declared already, or a field is both personal and plain.
    """
    if label in _declared:
        raise ValueError(f"{label} is declared twice")
    names = frozenset(plain.split())
    if both := names & set(personal or ()):
        raise ValueError(f"{label} declares as personal and as plain: {', '.join(sorted(both))}")
    _declared[label] = Declaration(label, title, subject, personal or {}, names, path)


def declarations() -> list[Declaration]:
    """The declarations of models with personal fields, in the order of their declaration."""
    return [declaration for declaration in _declared.values() if declaration.personal]


def declaration_of(model: type[Model]) -> Declaration | None:
    return _declared.get(model._meta.label)


def undeclared() -> Iterator[str]:
    """The names, as ``app.Model.field``, of fields that nobody declared."""
    for model in apps.get_models(include_auto_created=True):
        declaration = declaration_of(model)
        declared = set() if declaration is None else {*declaration.personal, *declaration.plain}
        names = set(_names_to_declare(model))
        yield from (f"{model._meta.label}.{name}" for name in sorted(names - declared))


def _names_to_declare(model: type[Model]) -> Iterator[str]:
    """The fields of a model that a person must judge; a parent's fields count for the parent."""
    from django.contrib.auth import get_user_model

    user = get_user_model()
    for field in model._meta.local_concrete_fields:
        links = field.is_relation and field.related_model is not user
        if not (field.primary_key and field.name == "id") and not links:
            yield field.name
