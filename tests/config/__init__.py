"""Modules that have no test file of their own here:

- ``settings``, ``celery``, ``hidden``, ``logging``: ``test_manage.py`` · ``wsgi``, ``loading``: ``test_asgi.py``
- ``metering``: ``tests/processes/test_metrics.py``
- ``urls``: ``test_asgi.py``, ``tests/connections/api/test_health.py``
"""
