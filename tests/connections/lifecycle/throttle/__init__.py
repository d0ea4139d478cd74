"""Modules that have no test file of their own here:

- ``pace``: ``tests/connections/lifecycle/watch/test_ladder.py``
- ``scripts``: ``test_admission.py`` · ``turn_scripts``: ``test_turns.py`` · ``shared``: ``test_without_redis.py``
"""
