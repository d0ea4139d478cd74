"""Tests of what proxied calls need no database for. ``exchange`` is tried by the proxy's own tests, over real sockets
(``tests/connections/lifecycle/proxy/test_provider.py``), and so are ``answer_headers`` and ``request_headers``.
"""
