"""Who may use whose connection. The decision and the paths are tested here, without a database.

- ``approve``: ``tests/connections/api/test_approvals.py``
- ``approve_link``: ``tests/connections/consent/test_approval_views.py``
- ``reach``: ``tests/connections/api/test_api_clients.py``
- ``check``, ``give``, ``revoke``, ``share``: ``tests/connections/api/test_vend_grants.py``,
  ``tests/connections/api/test_access_grants.py``
"""
