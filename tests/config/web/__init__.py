"""Modules that have no test file of their own here:

- ``middleware``: ``tests/config/test_asgi.py``, ``tests/connections/api/test_health.py``
"""
