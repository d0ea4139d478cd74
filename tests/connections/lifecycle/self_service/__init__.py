"""Modules that have no test file of their own here:

- ``visit``, ``reconnect``: ``tests/connections/consent/test_manage_pages.py`` · ``own``:
  ``tests/connections/consent/test_manage_attackers.py`` · ``change``:
  ``tests/connections/consent/test_manage_views.py``
"""
