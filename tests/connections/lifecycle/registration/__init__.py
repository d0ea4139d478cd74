"""Modules that have no test file of their own here:

- ``document``: ``tests/connections/published/test_clients.py``
- ``sealed``, ``ways``: ``test_obtain.py``
"""
