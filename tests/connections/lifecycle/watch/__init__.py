"""Watching use: a simulated time goes by in ``traffic.py``, which writes the audit trail.

- ``use``, ``counted``, ``usual``, ``rules``, ``findings``: ``test_look.py``, ``test_ordinary_week.py``
- ``settings``: ``test_ladder.py``, ``tests/connections/admin/test_findings.py``
- ``canaries``: ``test_lay.py``
"""
