"""The endpoint for agents, called over the ASGI application, with a provider's server on a socket of the test's own.

- ``tools``: ``test_protocol.py`` · ``results``: ``test_calling.py``, ``test_lookups.py``
"""
