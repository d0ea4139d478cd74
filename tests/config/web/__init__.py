"""Modules that have no test file of their own here:

- ``healthy``: ``tests/processes/test_interrupt.py``
- ``middleware``: ``tests/config/test_asgi.py``, ``tests/connections/api/test_health.py``
"""
