"""Modules that have no test file of their own here:

- ``asked_fields``: ``tests/connections/consent/test_fields.py``
- ``apps``: ``tests/faults/test_keys.py`` · ``dispatch``: ``test_tasks.py`` · ``refusals``:
  ``tests/connections/consent/test_words.py``
"""
