"""The routes, one resource a file. Each translates, makes one lifecycle call, and translates back.

- ``tenants``, ``branding``, ``providers``, ``connect_sessions``, ``management_sessions``, ``connections``,
  ``access_grants``, ``approvals``, ``imports``, ``end_users``, ``events``
- ``connection_acts``: what an operator does to one · ``connection_history``: its refreshes, and what is next
- ``forecast``: which of them will end
- ``bulk_jobs``: one act on many · ``quarantine``: whose refreshes wait after a restore
- ``canaries``: connections that lead nowhere
- ``outbound_addresses``: from where providers are called · ``own_providers``: entries of the operator's own
- ``audit_events``: the audit trail · ``webhook_endpoints``: where events are delivered
- ``api_clients``, ``trusted_issuers``: who may call
- ``provider_apps``, ``app_keys``: our registrations at providers · ``pushes``: what these tell us by themselves ·
  ``incidents``: their faults
- ``proxy``: what is documented of the proxy
- ``vend``: the credential of a connection, by its id or by its owner · ``oauth``: the same as a token exchange
"""
