"""The stand-ins prove the entries in ``tests/dialects/test_every_entry.py``, and are proved by changed entries.

- ``tests/dialects/test_mutations.py``: ``life`` and its steps (``bringing``, ``connecting``), what is typed
  (``typing_in``), the network (``wire``), and what is compared (``answers``, ``matching``, ``keys``, ``certificates``,
  ``fixture``)
- ``hints`` are proved by ``test_trial.py``
"""
