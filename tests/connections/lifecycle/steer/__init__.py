"""Modules that have no test file of their own here:

- ``rebind``: ``tests/connections/access/test_grantor.py`` · ``change_metadata``:
  ``tests/connections/api/test_connections.py``
"""
