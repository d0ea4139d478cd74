"""Modules that have no test file of their own here:

- ``staff``: ``tests/connections/admin/test_limited_staff.py``
- ``targets``: ``test_grantor.py`` · ``app_keys``: ``tests/connections/lifecycle/provision/test_app_keys.py``
"""
