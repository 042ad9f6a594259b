"""``bin/run``: the site on one machine, with a server for each service that is not configured."""
