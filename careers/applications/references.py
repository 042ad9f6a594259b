"""Names for an application: one to read aloud, one that nobody can guess."""

import secrets

#: Crockford's base 32 without U; no letter looks like a digit (https://www.crockford.com/base32.html).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """A reference for people, such as ``7KD4-93MX``: 40 random bits, checked for uniqueness
    by the database."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def new_secret() -> str:
    """256 random bits for an address that only the applicant knows."""
    return secrets.token_urlsafe(32)


def normalise_reference(typed: str) -> str:
    """A reference as people type it (lower case, O for 0, without the dash) as it is stored."""
    # Programs turn the dash into a longer one, or into nothing.
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    letters = letters.translate(str.maketrans("OIL", "011"))
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == 8 else letters
