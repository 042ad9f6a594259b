#!/usr/bin/env python
"""Django's command line for the careers site."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careersite.settings.local")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a sentence with the setting's name says it all
        sys.exit(str(error))


if __name__ == "__main__":
    main()
