"""Names for an application: a reference for people, and a secret for the applicant's link."""

import secrets

from home.values.text import plain

#: Crockford's base 32 without U; no letter looks like a digit (https://www.crockford.com/base32.html).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A reference for people, such as ``7KD4-93MX``: 40 random bits.

    The database checks that it is unique.
    """
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_secret() -> str:
    """A secret of 256 random bits for an address that only the applicant knows."""
    return secrets.token_urlsafe(32)


def normalise_reference(typed: str) -> str:
    """The stored form of a typed reference, which may have lower case, O for 0 or no dash.

    It may also have the digits of another script, and invisible characters from where it was
    copied.
    """
    # Some programs lengthen or drop the dash.
    letters = "".join(letter for letter in plain(typed).upper() if letter.isalnum())
    letters = letters.translate(str.maketrans("OIL", "011"))
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == 8 else letters
