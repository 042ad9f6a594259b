"""The proof: break everything while people apply, then count what is there.

``bin/prove`` starts it; ``docs/reliability.md`` publishes what it finds.

``campaign``   one run: a site, a crowd, faults, a wait for the end, a count
``forms``      what each applicant sends; a seed fixes every byte
``crowd``      the applicants, who send until they hold a receipt
``injection``  the faults, by what they break, and the plan of a run
``panel``      the operator who resolves unconfirmed mails on the real admin pages
``s3_proxy``   a proxy that damages requests to the S3 server
``sabotaged``  workers without one rule, which the checker must notice
``ledger``     what was promised, broken and clicked, a line of JSON each
``checker``    the independent comparison of ledgers, rows, objects and mails
``report``     the outcome as table, JSON and documentation
``soak``       hours at full load, to find growth
``model``      the protocols, small enough to be explored completely

It may import ``careers`` and ``tests.support``. Nothing but tests imports it.
"""
