"""Modules that have no test file of their own here:

- ``arrival``, ``events``: ``test_verify.py``, ``test_read.py``
"""
