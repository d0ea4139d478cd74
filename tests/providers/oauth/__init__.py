"""Modules that have no test file of their own here:

- ``client_authentication``: ``test_token_endpoint.py``, ``test_client_secrets.py`` · ``identity``:
  ``tests/field/test_identity.py``
"""
