"""The field for one e-mail address, in forms and in models."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from home.values import email, mail_address

#: The most characters that may arrive for an address, with a name and spaces around it.
LONGEST = 1000


class AddressField(forms.CharField):
    """One address, however it was pasted. Its host may be in any script."""

    widget = forms.EmailInput
    default_validators = [email.check]  # noqa: RUF012 -- Django's name and type

    def to_python(self, value: Any) -> str:
        text = str(value or "")
        if len(text) > LONGEST:
            words = _("Enter an e-mail address in the form name@example.com.")
            raise ValidationError(words, code="max_length")
        return email.clean(text)


def validate_contact(address: str) -> None:
    """Refuse an address that a mail program may be unable to answer.

    Raises:
        ValidationError: it is no address, or not ASCII before the @.
    """
    email.check(address)
    if mail_address.is_international(address):
        raise ValidationError(
            _(
                "Many mail programs can’t write to “%(address)s”. Enter an address that has only "
                "the letters a to z, digits and signs before the @."
            ),
            code="invalid",
            params={"address": address},
        )


class ContactField(models.EmailField):
    """A column for an address that strangers write to. The database sees an ``EmailField``."""

    default_validators = [validate_contact]  # noqa: RUF012 -- Django's name and type

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": AddressField, **kwargs})

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs
