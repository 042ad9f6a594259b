"""Pages in several languages: facts that they share, and translating many of them at once."""
