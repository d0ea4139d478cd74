"""Modules that have no test file of their own here:

- ``base``, ``http_basic``, ``bearer_token``, ``device_authorization``, ``token_exchange``: ``test_contract.py``
- ``presenting``, ``fields``, ``blame``: ``test_api_key.py``, ``test_authorization_code.py`` · ``calling``:
  ``test_probing.py``
"""
