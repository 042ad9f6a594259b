"""Search that finds what a person means, in the same way on every database.

A text is stored as its *terms* (``terms.terms_of``), folded so that case, accents, apostrophes and
hyphens make no difference. What a person types is read as *words* (``words.words``), each a few
patterns for ``LIKE``. Both databases compare only folded text, so they give the same answers.
"""
