"""Whether the started site works, as ``bin/run`` checks it over HTTP."""

import contextlib
import json
import urllib.error
import urllib.request


def not_ready(address: str) -> str:
    """What is missing according to the site, or "" when everything works."""
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            status = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code != 503:
            return f"web (it answers {error.code})"
        with contextlib.suppress(ValueError):
            if json.load(error).get("disk") is False:
                return "room on the disk"
        return "database"
    except (OSError, ValueError):
        return "web"
    served = {queue for worker in status["workers"] for queue in worker["queues"]}
    fine = {
        "worker cpu": "cpu" in served,
        "worker io": "io" in served,
        "sweeper": bool(status["sweeper"]["seen_at"]),
        "broker": status["broker"]["ok"],
        # Its own heartbeat: another program may hold its port.
        "flower": bool(status["flower"]["seen_at"]),
    }
    return ", ".join(name for name, is_fine in fine.items() if not is_fine)


def not_shown(address: str) -> str:
    """What is wrong with a page, or "" when it is shown or does not exist."""
    try:
        with urllib.request.urlopen(address, timeout=10):
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else f"web (its home page answers {error.code})"
    except OSError:
        return "web (its home page does not answer)"
