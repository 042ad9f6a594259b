"""What ``bin/run`` shows."""

import contextlib
from pathlib import Path

from dotenv import dotenv_values

from careersite.settings import env


def say(line: str = "") -> None:
    """Print a line. A closed pipe (``bin/run | head``) must not stop the site."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def addresses(var: Path, port: int, flower_port: int, embedded: set[str], logins: list[str]) -> str:
    """The addresses and logins of the site."""
    site = env.given("SITE_URL").rstrip("/") or f"http://localhost:{port}"
    generated = dotenv_values(var / "env")

    def password(name: str) -> str:
        own = env.given(name)
        return f"(your {name})" if own and own != generated.get(name) else str(generated.get(name))

    rows = [("Site", f"{site}/", ""), ("Admin", f"{site}/admin/", "")]
    people = {"admin": ("all rights", "ADMIN_PASSWORD"), "hanna": ("as HR", "DEMO_PASSWORD")}
    for name in logins:
        what, secret = people[name]
        rows.append(("", f"{name} / {password(secret)}", what))
    rows.append(("Tasks", f"{site}/admin/tasks/", ""))
    if "mail" in embedded:
        rows.append(("Mails", f"{site}/mail/", ""))
    rows.append(("Flower", f"http://localhost:{flower_port}/flower/", ""))
    rows.append(("", "after you have signed in to the admin", ""))
    rows.append(("Logs", f"{var / 'log'}/", ""))
    return "\n".join(f"  {name:8}{where:44}{note}".rstrip() for name, where, note in rows)
