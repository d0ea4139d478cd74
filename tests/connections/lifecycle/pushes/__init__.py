"""Modules that have no test file of their own here:

- ``receive``: ``test_act.py``, ``tests/connections/pushed/test_views.py``
"""
