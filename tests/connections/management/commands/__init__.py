"""The commands are tested in ``tests/connections/management``.

- ``api_clients``, ``connections``, ``issuers``, ``drill``, ``provider_apps``, ``providers``, ``tenants``: by the test
  file of that name there
- ``audit``: ``tests/connections/lifecycle/test_housekeeping.py``
"""
