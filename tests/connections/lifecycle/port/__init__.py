"""Modules that have no test file of their own here:

- ``hand_out``, ``receive_beside``: ``test_receive.py``
- ``options``, ``judge``, ``row_key``: ``test_take.py`` · ``conflicts``: ``test_store.py`` · ``order``, ``report``:
  ``test_go_on.py``
"""
