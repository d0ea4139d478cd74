"""Modules that have no test file of their own here:

- ``settings``, ``celery``, ``hidden``, ``logging``, ``request``: ``test_requests.py``, ``test_manage.py``
- ``middleware``, ``urls``: ``test_wsgi.py``, ``tests/connections/api/test_health.py``
"""
