"""Modules that have no test file of their own here:

- ``revoke``: ``test_disconnect.py``, ``test_revocation_proof.py`` · ``siblings``: ``tests/field/test_shared_grants.py``
"""
