"""Pay: currencies, units, and a salary range in words."""

from __future__ import annotations

from typing import Any

from babel.numbers import list_currencies
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from home.fields import AmountModelField, ListedModelField
from home.values import money, number


class PayUnit(models.TextChoices):
    """The values of schema.org's ``unitText``."""

    HOUR = "HOUR", gettext_lazy("an hour")
    DAY = "DAY", gettext_lazy("a day")
    WEEK = "WEEK", gettext_lazy("a week")
    MONTH = "MONTH", gettext_lazy("a month")
    YEAR = "YEAR", gettext_lazy("a year")


def currencies() -> list[tuple[str, str]]:
    """ISO 4217 codes, those of the past too, for the column: old jobs have them."""
    return [(code, code) for code in sorted(list_currencies())]


class PayRange(models.Model):
    """The salary range of a job, as fields of its page."""

    # Three decimals: dinars have a thousand parts.
    pay_from = AmountModelField(
        gettext_lazy("pay from"), max_digits=13, decimal_places=3, null=True, blank=True
    )
    pay_to = AmountModelField(
        gettext_lazy("pay to"), max_digits=13, decimal_places=3, null=True, blank=True
    )
    pay_currency = ListedModelField(
        gettext_lazy("currency"),
        max_length=3,
        choices=currencies,
        default="EUR",
        names=money.names,
    )
    pay_unit = models.CharField(
        gettext_lazy("per"), max_length=5, choices=PayUnit.choices, default=PayUnit.YEAR
    )

    class Meta:
        abstract = True

    @property
    def pay(self) -> str:
        """The range in words, such as "€72,000 – €88,000 a year"; "" when HR gives none."""
        amounts = [amount for amount in (self.pay_from, self.pay_to) if amount is not None]
        if not amounts:
            return ""
        shown = [money.shown(amount, self.pay_currency) for amount in dict.fromkeys(amounts)]
        unit = PayUnit(self.pay_unit).label
        if len(shown) == 2:
            return _("%(low)s – %(high)s %(unit)s") % {
                "low": shown[0],
                "high": shown[1],
                "unit": unit,
            }
        if self.pay_to is None:
            return _("from %(amount)s %(unit)s") % {"amount": shown[0], "unit": unit}
        return _("%(amount)s %(unit)s") % {"amount": shown[0], "unit": unit}

    def pay_errors(self) -> dict[str, str]:
        """What HR must correct, by field name."""
        if self.pay_from is not None and self.pay_to is not None and self.pay_to < self.pay_from:
            return {"pay_to": _("The upper end of the pay is below the lower end.")}
        return {}


def decimals_errors(cleaned: dict[str, Any]) -> dict[str, str]:
    """What HR must correct in an editor's form, by field name: parts that a currency has not.

    A stored page is not checked: the decimals of a currency may change, and the page must still be
    published on time.
    """
    currency = cleaned.get("pay_currency")
    if not currency:
        return {}
    most = money.decimals(currency)
    message = (
        ngettext(
            "Amounts in %(currency)s have at most %(count)d decimal.",
            "Amounts in %(currency)s have at most %(count)d decimals.",
            most,
        )
        if most
        else _("Amounts in %(currency)s have no decimals.")
    ) % {"currency": currency, "count": most}
    return {
        name: message
        for name in ("pay_from", "pay_to")
        if (amount := cleaned.get(name)) is not None and number.places(amount) > most
    }
