"""The commands are tested in ``tests/connections/management``.

- ``api_clients``, ``connections``, ``issuers``, ``drill``, ``provider_apps``, ``providers``, ``tenants``,
  ``webhooks``: by the test
  file of that name there
- ``apply``: ``tests/connections/management/test_apply.py``
- ``seed_showcase``: ``tests/connections/management/showcase/test_lay_out.py``
- ``audit``: ``tests/connections/lifecycle/test_housekeeping.py``
"""
