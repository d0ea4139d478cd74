"""Modules that have no test file of their own here:

- ``rebind``: ``tests/connections/access/test_grantor.py`` · ``describe``:
  ``tests/connections/api/test_labels.py`` · ``trial``: ``tests/connections/admin/test_trial.py``
"""
