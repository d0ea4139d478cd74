"""Modules that have no test file of their own here:

- ``document``, ``changes``, ``carry_out``: ``tests/connections/management/test_apply.py``
"""
