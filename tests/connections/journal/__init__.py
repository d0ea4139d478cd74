"""What is written down is tested where it is written.

- ``audit``: ``tests/connections/api/test_vend.py``, ``tests/connections/api/test_canaries.py``
- ``events``: ``tests/connections/api/test_connections.py`` · ``flood``: ``tests/connections/api/test_refused_keys.py``
"""
