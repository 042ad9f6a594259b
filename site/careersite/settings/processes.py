"""The processes of a deployment, and what each of them needs."""

from django.core.exceptions import ImproperlyConfigured

from careersite.settings.env import SERVICES, given

#: What each process needs: services, and "keys", which are SECRET_KEY and HASH_KEY. A process
#: without PROCESS needs all.
PROCESSES = {
    "web": frozenset({"keys", *SERVICES}),
    "worker-io": frozenset({"keys", *SERVICES}),
    "sweeper": frozenset({"keys", *SERVICES}),
    "worker-cpu": frozenset({"database", "broker"}),
    "beat": frozenset({"database", "broker"}),
    "flower": frozenset({"keys", "database", "broker"}),
    "seed": frozenset({"keys", "database", "broker"}),
    "migrate": frozenset({"keys", "database"}),
    "bucket": frozenset({"archive"}),
}


def needs(part: str) -> bool:
    """Whether this process needs a service, or "keys".

    Raises:
        ImproperlyConfigured: PROCESS names no process.
    """
    process = given("PROCESS")
    if process and process not in PROCESSES:
        raise ImproperlyConfigured(
            f"PROCESS must be one of {', '.join(PROCESSES)}, or empty, not {process}."
        )
    return not process or part in PROCESSES[process]
