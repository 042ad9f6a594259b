"""The times and limits of the pipeline."""

from django.core.exceptions import ImproperlyConfigured

from careersite.settings import env

#: Seconds after which a step is asked to stop, is killed, and counts as lost. Each must be longer
#: than the one before, and the broker's visibility time-out longer than all.
PIPELINE_SOFT_LIMIT = env.number("PIPELINE_SOFT_LIMIT", 90, least=1)
PIPELINE_HARD_LIMIT = env.number("PIPELINE_HARD_LIMIT", 120, least=2)
PIPELINE_LEASE = env.number("PIPELINE_LEASE", 180, least=3)
PIPELINE_VISIBILITY = 900
if not PIPELINE_SOFT_LIMIT < PIPELINE_HARD_LIMIT < PIPELINE_LEASE < PIPELINE_VISIBILITY:
    raise ImproperlyConfigured(
        "PIPELINE_SOFT_LIMIT, PIPELINE_HARD_LIMIT and PIPELINE_LEASE must rise in this order "
        f"and stay below {PIPELINE_VISIBILITY} seconds."
    )
#: 0 keeps the history of finished steps for as long as the applications.
KEEP_HISTORY_DAYS = int(env.number("KEEP_HISTORY_DAYS", 0, least=0))
#: Seconds between two sweeps; before a step is dispatched again; without a broker, before the
#: sweeper runs steps itself.
PIPELINE_SWEEP_INTERVAL = env.number("PIPELINE_SWEEP_INTERVAL", 5, least=0.1)
PIPELINE_REDISPATCH_AFTER = env.number("PIPELINE_REDISPATCH_AFTER", 60, least=1)
PIPELINE_BROKER_GRACE = env.number("PIPELINE_BROKER_GRACE", 300, least=1)
#: Seconds between two probes of each service that is not in constant use.
PIPELINE_PROBE_INTERVAL = env.number("PIPELINE_PROBE_INTERVAL", 60, least=1)
#: Seconds before the first retry; each further one waits longer.
PIPELINE_BACKOFF_BASE = env.number("PIPELINE_BACKOFF_BASE", 10, least=0.1)

#: Megabytes of memory that one PDF may take on top of its process. The largest application that
#: the form accepts takes about 100; a PDF that takes more fails alone.
PDF_MEMORY_LIMIT = env.number("PDF_MEMORY_LIMIT", 512, least=128)

#: A file that the backup job touches after each success; "" for none. And the greatest age of the
#: last backup, in hours.
BACKUP_STAMP = env.given("BACKUP_STAMP")
BACKUP_MAX_HOURS = env.number("BACKUP_MAX_HOURS", 48, least=1)
