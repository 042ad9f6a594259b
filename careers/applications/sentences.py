"""Sentences that are stored without a language and rendered in the language of the reader.

The code that meets a mail server, the archive or the broker explains an error once. A process
that stores this explanation for readers of several languages keeps the message id and the values
instead of the rendered text.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext


class Sentence(str):
    """A translated text that remembers the message id and the values it was made from.

    As a ``str`` it reads in the language that was active when it was made.
    """

    msgid: str
    values: dict[str, Any]

    def __mod__(self, values: Any) -> Sentence:
        made = Sentence(str.__mod__(self, values))
        made.msgid, made.values = self.msgid, dict(values)
        return made


def sentence(msgid: str) -> Sentence:
    """Translate like ``gettext``, and remember the message id; import it as ``_``."""
    made = Sentence(gettext(msgid))
    made.msgid, made.values = msgid, {}
    return made


def to_facts(text: str) -> dict[str, Any]:
    """The plain data from which ``render`` makes the text again, in any language.

    Args:
        text: a ``Sentence``. Any other text is kept as it is, in the one language that it has.
    """
    if isinstance(text, Sentence):
        return {"sentence": text.msgid, "values": text.values}
    return {"sentence": text, "values": {}}


def render(facts: dict[str, Any]) -> str:
    """The text for the reader: in the active language.

    Raises:
        KeyError, TypeError, ValueError: ``facts`` was not made by ``to_facts``.
    """
    if not facts["sentence"]:
        return ""  # gettext would answer with the header of the catalogue
    text = gettext(facts["sentence"])
    return text % facts["values"] if facts["values"] else text
