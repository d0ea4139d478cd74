"""Modules that have no test file of their own here:

- ``apps``: ``tests/faults/test_keys.py`` · ``dispatch``: ``test_tasks.py`` · ``refusals``:
  ``tests/connections/consent/test_words.py``
"""
