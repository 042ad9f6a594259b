"""Pages in several languages: the fields they share, and translation of many pages at once."""
