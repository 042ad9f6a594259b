"""A whole site with real parts, for tests: the processes of the ``Procfile`` and what they need.

    with Stack(template) as stack:              # nothing runs yet but services and mail
        stack.start("web", "cpu", "io", "sweeper")
        receipt = stack.apply(email="ada@example.org")
        stack.wait_for_end([receipt])
        assert stack.states(receipt) == {"render_pdf": "succeeded", …}
        stack["cpu"].kill()                     # kill -9, with all its children
        stack.smtp.mode = "dot_451"             # see tests.support.servers.SMTP_MODES

All processes listen on reserved ports of the loopback address, keep their state in one directory,
and die with the test run. Tests count from outside: rows by SQL, objects from the S3 server's
directory, mails from the mail server's own ledger.
"""

from tests.support.stack.mail import SwitchableSMTP
from tests.support.stack.posting import Receipt, a_cv, multipart, sha256
from tests.support.stack.records import DONE, ENDS, column
from tests.support.stack.site import PLAIN_JOB, QUICK, SITES, Stack
from tests.support.stack.template import (
    BUCKET,
    ROOT,
    Template,
    shared_postgresql,
    shared_template,
)

__all__ = [
    "BUCKET",
    "DONE",
    "ENDS",
    "PLAIN_JOB",
    "QUICK",
    "ROOT",
    "SITES",
    "Receipt",
    "Stack",
    "SwitchableSMTP",
    "Template",
    "a_cv",
    "column",
    "multipart",
    "sha256",
    "shared_postgresql",
    "shared_template",
]
