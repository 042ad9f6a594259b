#!/usr/bin/env python
"""Django's command line for the careers site."""

from careersite.__main__ import main

if __name__ == "__main__":
    main()
