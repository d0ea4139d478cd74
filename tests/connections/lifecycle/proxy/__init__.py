"""Tests of the proxy: a hostile caller in front, a hostile provider behind, and what is told of both.

They call the ASGI application, with a server on a socket of the test's own behind it. ``test_caller.py`` is about the
hostile caller, ``test_provider.py`` about the hostile provider, ``test_streams.py`` about large and slow bodies.
``order`` is a plain value; ``request``, ``outgoing``, ``answer`` and ``caller_body`` are tried by what arrives on
either side, ``watch`` and ``record_end`` in ``test_permit.py``; ``reachable`` is in
``tests/connections/api/mcp/test_lookups.py``.
"""
