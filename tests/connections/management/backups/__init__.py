"""Tests of backups. Modules that have no test file of their own here:

- ``make``: ``test_restore.py``
"""
