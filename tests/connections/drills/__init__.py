"""Drills are tests by nature: each scenario runs in ``tests/faults/test_scenarios.py``, the command in
``tests/connections/management/test_drill.py``.

- ``answers``, ``losses``, ``together``, ``reach``, ``storage``, ``keys``, ``faults``, ``oracles``, ``phases``,
  ``process``, ``ground``, ``grants``: the scenarios
- ``matrix``: ``tests/faults/test_matrix.py`` · ``throwaway``: ``tests/connections/management/test_drill.py``
"""
