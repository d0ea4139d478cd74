"""The kernel's database: ``clock`` and ``pool`` are tested where they are used, by ``test_locks.py``; ``prepared`` by
``test_statements.py`` and ``tests/campaigns/test_ordinary.py``.
"""
