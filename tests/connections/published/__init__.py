"""Modules that have no test file of their own here:

- ``urls``: ``test_keys.py``
"""
