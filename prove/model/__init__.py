"""The protocols of the pipeline as models that are small enough to explore completely.

``bin/prove model`` walks through every order in which two workers, a sweeper, a person, the
dispatcher, the mail server and the bucket can act, with a few faults at any moment, and checks
every promise in every state. ``--sabotage RULE`` takes one rule away and prints the shortest way
to a broken promise.

One step of a model is one statement or one transaction of the code.
``tests/careers/pipeline/test_model.py`` runs the real code through what happens within a
transaction. Times are left out: a lease may expire and a pause may end at any moment, and a
frozen process is one that does not move. Budgets limit how often something fails and how often a
person acts; without them the models would have no end.

Change a model when you change the protocol itself: a new state or transition of a step, another
order of "write" and "send", another rule for leases, fences or retries, or another transaction
boundary in intake. Adding a kind of step, a mail provider or a page needs no change here.
"""

from prove.model.archive import Archive
from prove.model.intake import Intake
from prove.model.mail import KeyedMail, Mail
from prove.model.steered import SteeredMail

MODELS = (Intake, Mail, KeyedMail, SteeredMail, Archive)
