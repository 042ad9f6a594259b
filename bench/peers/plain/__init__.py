"""A plain Wagtail project: one page with a form of seven fields, as Wagtail's manual makes it."""
