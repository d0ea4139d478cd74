"""Modules that have no test file of their own here:

- ``targets``: ``test_grantor.py``
"""
