"""Modules that have no test file of their own here:

- ``report``: ``test_probe.py``
"""
