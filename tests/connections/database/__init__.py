"""The kernel's database: ``pool`` is tested where it is used, by ``test_locks.py``. ``settled`` by
``tests/connections/journal/test_events.py`` and ``tests/connections/journal/test_sealing.py``. What is run as a
prepared statement is tested by ``test_statements.py`` and ``tests/campaigns/test_ordinary.py`` too.
"""
