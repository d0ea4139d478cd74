"""Modules that have no test file of their own here:

- ``base``: ``test_contract.py`` · ``presenting``, ``fields``, ``blame``: ``test_api_key.py``,
  ``test_authorization_code.py``
"""
