"""Measurements of the site, each against a target; ``bin/bench`` starts them.

A row compares two measurements of one run, so it means the same on every machine. To add one, name
its target in ``bench.targets`` and let the module of its group measure it: ``measure`` takes a
``bench.sites.Bench`` and yields names with numbers, and ``Figure`` objects for numbers without a
target. The product imports nothing from here.
"""
