"""Modules that have no test file of their own here:

- ``document``, ``changes``, ``carry_out``, ``work``, ``entries``, ``rows``:
  ``tests/connections/management/test_apply.py``
"""
