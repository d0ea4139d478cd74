"""The internal JSON API, ``/api/v1/``: for the operator's own services and agents.

- ``urls``: the API · ``auth``: who calls, and for which tenant · ``routers``: one resource a file
- ``schemas``: the bodies · ``texts``: what a text may hold · ``representations``: from rows to bodies
- ``branding``, ``access_grants``, ``approvals``: bodies and representations of brands, and of access grants
- ``catalogue``: bodies and representations of providers
- ``provider_apps``: those of provider apps, what belongs to them, and incidents · ``pushes``: of what providers tell us
- ``history``: those of a connection's refreshes and versions, and of what happens next
- ``forecast``: those of what will end
- ``own_providers``: entries of the operator's own · ``sessions``: sessions once they are made · ``audit_trail``
- ``api_clients``: those of API clients, their keys, and trusted issuers · ``switches``: kill switches and pauses
- ``webhooks``: those of webhook endpoints and deliveries
- ``bulk_jobs``: acts on many connections · ``quarantine``: what waits after a restore
- ``imports``: rows from another system, and what came of them
- ``end_users``: what an end user has, and receipts of their leaving
- ``self_service``: those of management sessions and receipts · ``pages``: the cursors of lists
- ``queries``: what a query may name · ``filters``: by tag and by time
- ``conditional``: ETags, and changes that depend on them
- ``idempotency``: a POST that is repeated with its key
- ``problems``: errors, each with a stable code
- ``document``: the OpenAPI document · ``problem_shapes``, ``glossary``: what it says of problems, and of members
- ``vend_calls``: the short way of a vend, before Django · ``vend_paths``: where vends are asked for ·
  ``vend_desk``: where vends are answered and wait ·
  ``batches``: answers together what waits together
- ``proxy_calls``: the requests of the proxy · ``proxy_desk``: where they are answered, as streams
- ``asgi``: what the desks have in common
- ``mcp``: the endpoint for agents, as tools of the Model Context Protocol
- ``oauth_token``: the form and the errors of the token endpoint
- ``metrics``: what Prometheus scrapes
- ``health``: the health checks, which need no key · ``llms``: ``/llms.txt``, which needs none either
"""
