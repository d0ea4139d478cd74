"""Modules that have no test file of their own here:

- ``shared``, ``questions``: ``tests/connections/consent/test_approval_views.py``
- ``visit``, ``reconnect``: ``tests/connections/consent/test_manage_pages.py`` · ``own``:
  ``tests/connections/consent/test_manage_attackers.py`` · ``change``:
  ``tests/connections/consent/test_manage_views.py``
"""
