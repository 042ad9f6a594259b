"""How long personal data is kept, and how it is given out and erased."""
