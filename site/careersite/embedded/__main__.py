"""``python -m careersite.embedded`` is what ``bin/run`` runs."""

import sys

from careersite.embedded.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
