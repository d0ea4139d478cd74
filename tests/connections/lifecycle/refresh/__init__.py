"""Modules that have no test file of their own here:

- ``claim``: ``test_refresh.py`` · ``claim_query``: ``test_plain_statements.py`` · ``settle``:
  ``test_refresh_answers.py``
- ``sent``: ``tests/connections/lifecycle/quarantine/test_pulse.py``
- ``judge_refusal``: ``test_late_answers.py``, ``test_refresh_answers.py``
"""
