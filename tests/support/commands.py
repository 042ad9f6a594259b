"""Management commands, with what their caller gets."""

from __future__ import annotations

import io

from django.core.management import CommandError, call_command


def run(*command: str) -> tuple[int, str, str]:
    """Run a command; returns exit code, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*command, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()
