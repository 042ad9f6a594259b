"""``python -m careersite.embedded`` is what ``bin/run`` runs."""

import sys

from careersite.embedded.supervisor import main

sys.exit(main())
