"""Webhooks: what receivers get, in which order, and what becomes of those that do not take it.

- ``spread``, ``post``, ``message``: ``test_deliver.py`` · ``content``:
  ``tests/connections/lifecycle/pushes/test_forward.py``
"""
