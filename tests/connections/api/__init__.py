"""The API, called as production calls it (``tests/asgi_client.py``).

- ``auth``: ``test_callers_agreement.py``, ``test_isolation.py``, ``test_vend_keys.py``
- ``schemas``, ``texts``, ``urls``: ``test_problems.py``, ``test_openapi.py`` · ``representations``:
  ``test_connections.py``
- ``document``, ``problem_shapes``, ``glossary``: ``test_openapi.py``
- ``self_service``: ``tests/connections/lifecycle/self_service/test_receipts.py``
- ``approvals``: ``test_approvals.py``
- ``end_users``: ``test_end_users.py`` · ``catalogue``: ``test_providers.py``
- ``pushes``: ``test_pushes.py``
- ``webhooks``: ``test_webhook_endpoints.py`` · ``history``: ``test_connection_history.py``
- ``switches``: ``test_api_clients.py`` · ``own_providers``, ``sessions``, ``audit_trail``: ``test_operators_acts.py``
- ``proxy_calls``, ``proxy_desk``: ``tests/connections/lifecycle/proxy/test_caller.py``
- ``asgi``: ``tests/connections/api/mcp/test_desk.py``
- ``vend_desk``: ``test_vend_calls.py``, ``test_batches.py``
"""
