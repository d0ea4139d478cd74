"""The kernel's database: ``clock`` and ``pool`` are tested where they are used, by ``test_locks.py``. ``settled`` by
``tests/connections/journal/test_events.py`` and ``tests/connections/journal/test_sealing.py``. What is run as a
prepared statement is tested by ``test_statements.py`` and ``tests/campaigns/test_ordinary.py`` too.
"""
