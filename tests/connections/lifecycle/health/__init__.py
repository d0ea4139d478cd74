"""Modules that have no test file of their own here:

- ``facts``: ``test_attend.py`` · ``telling``: ``test_incidents.py``
- ``strikes``: ``tests/connections/lifecycle/refresh/test_refresh_answers.py``,
  ``tests/connections/lifecycle/probe/test_probe.py``
- ``failing``: ``tests/field/test_refused_without_end.py`` · ``moved``: ``tests/connections/access/test_grantor.py``
"""
