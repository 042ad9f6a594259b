"""What a person types into a search box, as patterns for ``LIKE``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from careers.search.folding import fold, spellings
from careers.search.terms import GROUPED, TERM, digits, parts, tokens, without_trunk, written

#: What is read of a query: characters, and words.
LONGEST, MOST = 200, 10
#: A number of so many digits is found anywhere in a longer one, as in a phone number.
DIGITS = 5
#: The digits that a phone number has without its country code, at least.
NATIONAL = 7
_NUMBER = re.compile(r"\+?[\d\s.-]+")


@dataclass(frozen=True)
class Word:
    """One word of a query. A text has it when all patterns of one alternative are in its terms."""

    alternatives: tuple[tuple[str, ...], ...]

    def within(self, terms: str) -> bool:
        """Whether a text has the word.

        Args:
            terms: of the text, by ``terms_of``.
        """
        return any(all(pattern in terms for pattern in each) for each in self.alternatives)

    def query(self, field: str) -> Q:
        """The rows that have the word in the terms of ``field``."""
        each = (
            reduce(and_, (Q(**{f"{field}__contains": pattern}) for pattern in patterns))
            for patterns in self.alternatives
        )
        return reduce(or_, each)


def by_words(field: str, found: list[Word], join: Callable[[Q, Q], Q] = and_) -> Q:
    """The rows that have each of the words, or one of them, in the terms of ``field``."""
    return reduce(join, (word.query(field) for word in found))


def words(typed: str) -> list[Word]:
    """The words that a person typed; none when there is nothing to find.

    A word is found at the beginning of a term, one letter alone only as a whole term, and a word
    in a script without spaces anywhere.
    """
    typed = without_trunk(typed[:LONGEST])
    number = fold(typed).strip()
    if _NUMBER.fullmatch(number) and len(digits(number)) >= DIGITS:
        return [_number(number)]
    grouped = [_grouped(number[0]) for number in GROUPED.finditer(typed)]
    typed = GROUPED.sub(" ", typed)
    # A word and how else it is spelled, such as “Müller” and “Mueller”, have the same tokens.
    either = zip(*map(tokens, spellings(typed)), strict=False)
    found = [_word([token for token, _is_run in both], is_run=both[0][1]) for both in either]
    return (grouped + found)[:MOST]


def _word(spellings: list[str], *, is_run: bool) -> Word:
    if is_run:
        return Word(((spellings[0],),))
    found = (alternative for token in spellings for alternative in _alternatives(token))
    return Word(tuple(dict.fromkeys(found)))


def _alternatives(token: str) -> Iterator[tuple[str, ...]]:
    if token.isdigit() and len(token) >= DIGITS:
        yield from _number(token).alternatives
        return
    pieces, signs = parts(token)
    yield (_beginning(written(pieces, signs)),)
    if signs and not {"@", "&"} & set(signs):
        yield (_beginning("".join(pieces)),)
        yield tuple(_beginning(piece) for piece in pieces)


def _beginning(term: str) -> str:
    return f" {term} " if len(term) == 1 else f" {term[:TERM]}"


def _grouped(typed: str) -> Word:
    """A number in groups, or else numbers side by side."""
    typed = fold(typed)
    apart = tuple(_beginning(written(*parts(token))) for token, _is_run in tokens(typed))
    whole = digits(typed)
    found = [f" {whole} ", f" {whole}."]
    if len(whole) >= NATIONAL:
        found.append(whole)  # of a phone number
    return Word((*((number,) for number in found), apart))


def _number(typed: str) -> Word:
    """A phone number, with or without its country code; or else numbers side by side."""
    whole = digits(typed)
    found = [whole]
    # A short number without its zeros would be found inside many others.
    if is_international := whole.startswith("00") and len(whole) - 2 >= NATIONAL:
        whole = whole[2:]
        found.append(whole)
    elif whole.startswith("0") and len(whole) - 1 >= NATIONAL:
        found.append(whole[1:])
    if is_international or typed.startswith("+"):
        found += [whole[code:] for code in (1, 2, 3) if len(whole) - code >= NATIONAL]
    apart = tuple(_beginning(written(*parts(token))) for token, _is_run in tokens(typed))
    return Word(tuple(dict.fromkeys([*((number,) for number in found if number), apart])))
