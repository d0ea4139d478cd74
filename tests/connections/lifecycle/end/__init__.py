"""Modules that have no test file of their own here:

- ``belongings``, and what is forgotten: ``tests/connections/api/test_end_users.py``
- ``batches``: ``test_delete_tenant.py``
- ``revoke``: ``test_disconnect.py``, ``test_revocation_proof.py``, ``test_revoke_killed.py``
- ``end_sessions``: ``test_delete_tenant.py``, ``test_offboard.py``
- ``siblings``: ``tests/field/test_shared_grants.py``
"""
