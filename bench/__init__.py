"""Measurements of the site, each against a target; ``bin/bench`` starts them.

A row compares two measurements of one run, so it means the same on every machine. To add rows,
write a module with a function that takes ``quick`` and yields ``Row`` objects, and name the
function in ``bench.__main__.MEASUREMENTS``. The product imports nothing from here.
"""
