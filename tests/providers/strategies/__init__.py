"""Modules that have no test file of their own here:

- ``base``, ``http_basic``, ``bearer_token``, ``device_authorization``, ``token_exchange``: ``test_contract.py``
- ``signed_jwt``, ``jwt_bearer``, ``saml_bearer``: ``test_signatures.py`` · ``token_call``: ``test_two_step_login.py``
- ``presenting``, ``fields``, ``blame``: ``test_api_key.py``, ``test_authorization_code.py`` · ``calling``:
  ``test_probing.py``
"""
