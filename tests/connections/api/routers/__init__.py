"""The routes are tested by what they answer, for every operation of the document in
``tests/connections/api/test_isolation.py``.

- ``tenants``, ``providers``: ``tests/connections/api/test_tenants.py``
- ``branding``: ``tests/connections/api/test_branding.py`` · ``connections``, ``events``:
  ``tests/connections/api/test_connections.py``
- ``forecast``: ``tests/connections/api/test_forecast.py``
- ``connect_sessions``: ``tests/connections/consent/test_finish.py``, ``tests/connections/consent/test_start.py``
- ``management_sessions``: ``tests/connections/lifecycle/self_service/test_begin.py``; the receipts of ``connections``:
  ``tests/connections/lifecycle/self_service/test_receipts.py``
- ``end_users``: ``tests/connections/api/test_end_users.py``
- ``imports``: ``tests/connections/api/test_imports.py``
- ``bulk_jobs``: ``tests/connections/api/test_bulk_jobs.py``
- ``quarantine``: ``tests/connections/api/test_quarantine.py``
- ``approvals``: ``tests/connections/api/test_approvals.py``
- ``provider_apps``, ``app_keys``, ``incidents``: ``tests/connections/api/test_app_operations.py``
- ``pushes``: ``tests/connections/api/test_pushes.py``
- ``connection_acts``, ``own_providers``, ``audit_events``: ``tests/connections/api/test_operators_acts.py``
- ``connection_history``, ``outbound_addresses``: ``tests/connections/api/test_connection_history.py``
- ``webhook_endpoints``: ``tests/connections/api/test_webhook_endpoints.py``
- ``api_clients``, ``trusted_issuers``: ``tests/connections/api/test_api_clients.py``
- ``access_grants``: ``tests/connections/api/test_access_grants.py``
- ``canaries``: ``tests/connections/lifecycle/watch/test_lay.py``
- ``proxy``: ``tests/connections/api/test_isolation.py``
- ``vend``: ``tests/connections/api/test_vend.py`` · ``oauth``: ``tests/connections/api/test_oauth_token.py``
"""
