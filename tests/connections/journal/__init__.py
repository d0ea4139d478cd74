"""What is written down is tested where it is written.

- ``audit``: ``tests/connections/api/test_vend.py``, ``tests/connections/api/test_canaries.py``
- ``event_types``: ``test_events.py``, and ``events`` also in ``tests/connections/api/test_connections.py``
- ``flood``: ``tests/connections/api/test_refused_keys.py``
"""
