"""Pay: currencies, units, and a salary range in words."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency, get_currency_symbol, list_currencies
from django.db import models
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class PayUnit(models.TextChoices):
    """The values of schema.org's ``unitText``."""

    HOUR = "HOUR", gettext_lazy("an hour")
    DAY = "DAY", gettext_lazy("a day")
    WEEK = "WEEK", gettext_lazy("a week")
    MONTH = "MONTH", gettext_lazy("a month")
    YEAR = "YEAR", gettext_lazy("a year")


def money(amount: Decimal, currency: str) -> str:
    """An amount in the active language, without cents where there are none (CLDR patterns)."""
    locale = Locale.parse(translation.to_locale(translation.get_language() or "en"))
    pattern = locale.currency_formats["standard"].pattern
    if amount % 1 == 0:
        pattern = pattern.replace(".00", "")
    if get_currency_symbol(currency, locale)[-1].isalpha():
        # A code such as NOK would otherwise run into the number.
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)


def currencies() -> list[tuple[str, str]]:
    """ISO 4217 codes for a field's choices."""
    return [(code, code) for code in sorted(list_currencies())]


class PayRange(models.Model):
    """The salary range of a job, as fields of its page."""

    pay_from = models.DecimalField(
        gettext_lazy("pay from"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    pay_to = models.DecimalField(
        gettext_lazy("pay to"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    pay_currency = models.CharField(
        gettext_lazy("currency"), max_length=3, choices=currencies, default="EUR"
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
        shown = [money(amount, self.pay_currency) for amount in dict.fromkeys(amounts)]
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
