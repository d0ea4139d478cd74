"""Who is behind a token.

- ``callers``, ``tokens``: ``tests/connections/api/test_token_callers.py``
- ``parties``: ``tests/connections/api/test_verified_parties.py``
- ``assertions``: ``test_assertions.py``
"""
