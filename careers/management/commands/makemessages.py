"""Django's command without fuzzy matches: a new text is untranslated, never a wrong guess."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]  # noqa: RUF012 -- as Django has it
