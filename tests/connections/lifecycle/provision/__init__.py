"""Modules that have no test file of their own here:

- ``tenants``: ``tests/connections/api/test_tenants.py`` · ``brands``: ``tests/connections/api/test_branding.py``
- ``provider_apps``, ``check_app``: ``tests/connections/admin/test_provider_app_form.py``
- ``register_app``: ``tests/connections/admin/test_registered_clients.py``
- ``trusted_issuers``: ``tests/connections/api/test_token_callers.py``, ``test_trusted_issuers.py``
- ``client_secrets``: ``tests/connections/api/test_app_operations.py``
- ``staff``: ``tests/connections/admin/people/test_first.py``, ``tests/connections/admin/people/test_overseeing.py``
- ``roles``: ``tests/connections/admin/test_roles.py``
- ``read_source``: ``test_secret_sources.py``
- ``callers``: ``tests/connections/api/test_callers_agreement.py``,
  ``tests/connections/api/test_refused_keys.py``
"""
