"""Modules that have no test file of their own here:

- ``targets``: ``test_grantor.py`` · ``app_keys``: ``tests/connections/lifecycle/provision/test_app_keys.py``
"""
