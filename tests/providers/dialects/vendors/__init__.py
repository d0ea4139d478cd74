"""Each stand-in lives the lives of its kind in ``tests/dialects/test_every_entry.py``.

That are ``stand_in``, ``issuer``, ``granting``, ``logins``, ``signatures``, ``assertions``, ``exchange``, ``saml``,
``oauth1``, ``aws`` and ``certified``.
"""
