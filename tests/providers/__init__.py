"""Modules that have no test file of their own here:

- ``vocabulary``: by everything that uses its words · ``response``: ``test_egress.py``, ``test_egress_limits.py``
- ``egress_policy``, ``http_exchange``: ``test_egress.py``, ``test_egress_tls.py``
- ``timed_socket``: ``test_egress_limits.py`` · ``lookup``: ``test_egress.py``, ``test_egress_limits.py``
"""
