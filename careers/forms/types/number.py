"""A number, as people of any language write it, with the unit that HR sets.

A text such as ``45.000`` means two numbers. The form then shows both in the page's language, and
the applicant chooses one. Their choice comes back beside the text, so nothing is kept in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError

from careers.applications.frozen import Question
from careers.applications.question_types.number import in_unit, stored
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register
from home.fields import AmountBlock, ListedBlock
from home.text_blocks import LineBlock
from home.values import money, number

#: The power of ten of "k", which may also be something else. "m" is more often something else.
THOUSANDS = 3
#: What stands for millions less often than for something else, such as metres and months.
UNCLEAR = "m"
#: What an answer may have; the same as in earlier releases.
MAX_DIGITS, MAX_PLACES = 15, 4


class NumberBlock(QuestionBlock):
    """A question for a number, with its unit and its limits."""

    unit = LineBlock(
        label=gettext_lazy("Unit"),
        required=False,
        # For questions of earlier releases: wagtail-localize refuses None.
        default="",
        max_length=30,
        help_text=gettext_lazy("Shown after the number, such as “years”, “hours a week” or “%”."),
    )
    currency = ListedBlock(
        names=money.names,
        label=gettext_lazy("Currency"),
        required=False,
        help_text=gettext_lazy("For an amount of money, in place of a unit. Type to search."),
    )
    minimum = AmountBlock(
        label=gettext_lazy("Smallest number"),
        required=False,
        max_digits=MAX_DIGITS,
        decimal_places=MAX_PLACES,
    )
    maximum = AmountBlock(
        label=gettext_lazy("Largest number"),
        required=False,
        max_digits=MAX_DIGITS,
        decimal_places=MAX_PLACES,
    )
    whole = blocks.BooleanBlock(label=gettext_lazy("Whole numbers only"), required=False)

    class Meta:
        form_layout = blocks.BlockGroup(
            children=[
                "label",
                "help_text",
                "required",
                blocks.BlockGroup(
                    children=["unit", "currency", "minimum", "maximum", "whole"],
                    heading=gettext_lazy("Unit and limits"),
                    classname="collapsed",
                    icon="order",
                    label_format="",
                ),
            ]
        )

    def clean(self, value: Any) -> Any:
        """Refuse a currency beside a unit, and limits that no number keeps."""
        cleaned = super().clean(value)
        errors = {}
        if cleaned["unit"] and cleaned["currency"]:
            errors["currency"] = ValidationError(_("Set a unit or a currency, not both."))
        low, high = cleaned["minimum"], cleaned["maximum"]
        if low is not None and high is not None and low > high:
            errors["maximum"] = ValidationError(
                _("The largest number is below the smallest number.")
            )
        elif low is not None and high is not None:
            most = _most_places(cleaned["currency"], cleaned["whole"])
            lowest = _rounded(low, most, ROUND_CEILING)
            if lowest > high:
                errors["maximum"] = ValidationError(
                    _(
                        "No number fits between these limits: the first number from %(low)s that "
                        "applicants can enter is %(next)s. Change a limit."
                    ),
                    params={"low": number.shown(low), "next": number.shown(lowest)},
                )
        if errors:
            raise StructBlockValidationError(block_errors=errors)
        return cleaned


@register
class Number(FieldType):
    name = "number"
    template = "careers/forms/types/number.html"
    position = 60
    longest = 40

    def block(self) -> blocks.Block:
        return NumberBlock(label=gettext_lazy("Number"), icon="order")

    def settings(self, value: Any) -> tuple[tuple[str, str], ...]:
        found = {
            "unit": value.get("unit") or "",
            "currency": value.get("currency") or "",
            **{
                name: "" if (limit := value.get(name)) is None else number.exact(limit)
                for name in ("minimum", "maximum")
            },
            "whole": "yes" if value.get("whole") else "",
        }
        return tuple((name, text) for name, text in found.items() if text)

    def field(self, question: Question) -> forms.Field:
        return NumberField(question, **self.options(question))

    def fields_sent(self, question: Question) -> int:
        # The text, and which number it means.
        return 2

    def example(self, question: Question) -> Any:
        return number.exact(usual(question))


class Typed(NamedTuple):
    """What was sent for a number: the text, and the number that was chosen for it, if any."""

    text: str
    meant: str = ""


class NumberInput(forms.TextInput):
    """A line of text, and the choice between the numbers that it can mean."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        return Typed(data.get(name) or "", data.get(f"meant-{name}") or "")


class NumberField(forms.Field):
    """Reads a number and checks what HR set for its question.

    Attributes:
        choices: after ``clean``, the numbers between which the applicant has to choose, or has
            chosen: value, words, and whether it is chosen. Empty where the text is clear.
        unit: what the form shows behind the field.
    """

    def __init__(self, question: Question, **options: Any) -> None:
        attributes = {"class": "input--number", "inputmode": "decimal", "autocomplete": "off"}
        super().__init__(**options, widget=NumberInput(attributes))
        self.question = question
        self.choices: list[tuple[str, str, bool]] = []
        currency = question.setting("currency")
        self.unit = money.symbol(currency) if currency else question.setting("unit")
        self.low, self.high = (
            Decimal(limit) if (limit := question.setting(name)) else None
            for name in ("minimum", "maximum")
        )

    def clean(self, value: Any) -> str | None:
        """The number as it is stored (see ``careers.applications.question_types.number``).

        Raises:
            ValidationError: it is no number, breaks a rule of its question, or may be two.
        """
        text, meant = value if isinstance(value, Typed) else Typed(value or "")
        if not number.plain(text):
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        written = number.read(text)
        if written is None:
            raise self._error(_("Enter “%(label)s” as a number, such as %(example)s."))
        mark, powers = self._read_marks(written)
        numbers = [number.scaled(amount, power) for power in powers for amount in written.numbers]
        if len(numbers) > 2:
            raise self._only_a_number()
        broken = [self._broken_rule(amount) for amount in numbers]
        possible = [amount for amount, error in zip(numbers, broken, strict=True) if not error]
        if not possible:
            raise broken[0]  # type: ignore[misc]  # each number breaks a rule
        exact = [number.exact(amount) for amount in possible]
        if len(numbers) > 1:
            self.choices = [
                (value, in_unit(self.question, amount, mark), value == meant)
                for value, amount in zip(exact, possible, strict=True)
            ]
            if meant not in exact:
                raise self._error(
                    _(
                        "“%(typed)s” can be read as two numbers. "
                        "Choose the one you mean for “%(label)s”."
                    ),
                    typed=number.plain(text),
                )
            exact = [meant]
        return stored(self.question, exact[0], mark)

    def _read_marks(self, written: number.Written) -> tuple[str, tuple[int, ...]]:
        """What is written beside the number.

        Returns:
            The currency to store with the number, and by which powers of ten it may be multiplied:
            "k" may mean thousands or something else.

        Raises:
            ValidationError: it is something else.
        """
        currency, unit = self.question.setting("currency"), self.question.setting("unit")
        known = number.plain(unit).casefold()
        marks = tuple(mark for mark in written.marks if mark.casefold() != known)
        # Before a number, "K" is the sign of a currency.
        found = [
            (0, mark) if scale[1] == "" and mark != written.after else scale
            for mark in marks
            if (scale := money.scaled(mark))
        ]
        powers = [power for power, _sign in found if power]
        signs = [sign for _power, sign in found if sign]
        sign = ""
        if currency:
            self._check_currency(currency, signs)
            # The sign of some currencies is "K".
            is_doubtful = not signs and any(
                money.means(mark, currency) or mark.rstrip(".").casefold() == UNCLEAR
                for mark in marks
            )
        else:
            is_doubtful = bool(powers) and not signs
            if is_doubtful and powers != [THOUSANDS]:
                raise self._only_a_number()
            if len(signs) > (0 if unit else 1) or not all(map(money.is_currency, signs)):
                raise self._only_a_number()
            if signs:
                sign = signs[0].upper() if signs[0].upper() in money.in_use() else signs[0]
        if len(powers) > 1:
            raise self._only_a_number()
        power = sum(powers)
        return sign, (power, 0) if power and is_doubtful else (power,)

    def _check_currency(self, currency: str, signs: list[str]) -> None:
        others = [sign for sign in signs if not money.means(sign, currency)]
        if not all(map(money.is_currency, others)):
            raise self._only_a_number()
        if others:
            raise self._error(
                _("Enter “%(label)s” in this currency: %(currency)s, such as %(example)s."),
                currency=f"{money.name(currency)} ({currency})",
            )

    def _only_a_number(self) -> ValidationError:
        return self._error(_("Enter “%(label)s” as a number only, such as %(example)s."))

    def _broken_rule(self, amount: Decimal) -> ValidationError | None:
        """The rule of the question that a number breaks, if any."""
        digits = len(number.exact(amount).replace(".", "").lstrip("-0"))
        places = number.places(amount)
        most = _most_places(self.question.setting("currency"), self.question.setting("whole"))
        if places and not most:
            return self._error(_("Enter a whole number for “%(label)s”, such as %(example)s."))
        if places > most:
            words = ngettext(
                "Enter at most %(most)s digit after the decimal separator for “%(label)s”.",
                "Enter at most %(most)s digits after the decimal separator for “%(label)s”.",
                most,
            )
            return self._error(words, most=str(most))
        if self.low is not None and amount < self.low:
            return self._error(
                _("Enter %(limit)s or more for “%(label)s”."),
                limit=in_unit(self.question, self.low),
            )
        if self.high is not None and amount > self.high:
            return self._error(
                _("Enter %(limit)s or less for “%(label)s”."),
                limit=in_unit(self.question, self.high),
            )
        if digits > MAX_DIGITS:
            words = ngettext(
                "Enter at most %(most)s digit for “%(label)s”.",
                "Enter at most %(most)s digits for “%(label)s”.",
                MAX_DIGITS,
            )
            return self._error(words, most=str(MAX_DIGITS))
        return None

    def _error(self, message: str, **more: str) -> ValidationError:
        example = in_unit(self.question, usual(self.question))
        values = {"label": self.question.label, "example": example, **more}
        return ValidationError(message, code="invalid", params=values)


def usual(question: Question) -> Decimal:
    """A number that a question accepts, for examples."""
    found = Decimal(40)
    most = _most_places(question.setting("currency"), question.setting("whole"))
    if low := question.setting("minimum"):
        found = max(found, _rounded(Decimal(low), most, ROUND_CEILING))
    if high := question.setting("maximum"):
        found = min(found, _rounded(Decimal(high), most, ROUND_FLOOR))
    return found


def _most_places(currency: str, whole: Any) -> int:
    """How many decimal places an answer may have."""
    if whole:
        return 0
    return min(money.decimals(currency), MAX_PLACES) if currency else MAX_PLACES


def _rounded(limit: Decimal, places: int, rounding: str) -> Decimal:
    """The number next to a limit with so many decimal places."""
    return limit.quantize(Decimal(1).scaleb(-places), rounding)
