"""The sandbox is driven over HTTP, as its users do.

- ``app``, ``server``, ``exchange``, ``state``: ``test_process.py`` · ``consent``, ``validator``, ``redirects``:
  ``test_code_flow.py``
- ``oauth``, ``tokens``, ``issuing``, ``store``, ``registry``, ``presented``: ``test_tokens.py`` · ``log``,
  ``control_page``: ``test_control.py``
- ``people``, ``sessions``, ``minting``: ``test_pages.py`` · ``filler``: ``test_fault_kinds.py`` · ``passwords``:
  ``test_two_step.py``, ``test_tokens.py`` · ``device_codes``: ``test_device.py`` · ``client_proof``:
  ``test_device.py``, ``test_pushed.py``
- ``believing``: ``tests/styles/test_private_key_jwt.py`` · ``assertion_grants``, ``saml``:
  ``tests/styles/test_jwt_bearer.py`` · ``installations``: ``tests/styles/test_signed_jwt.py``
"""
