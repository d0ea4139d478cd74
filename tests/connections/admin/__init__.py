"""The admin, page by page through Django's client.

- ``connection``, ``connection_page``, ``credential``, ``connect_session``, ``incident``, ``journal``, ``operators``,
  ``api_client``, ``tenant_domain``, ``offboarding``, ``management_session``, ``approval``, ``import_run``, ``bundle``,
  ``tenant``, ``provider_app``, ``columns``, ``filters``, ``base``: every page by ``test_pages.py``, who may do what
  by ``test_permissions.py``
- what each role may do: ``test_roles.py`` · ``gate``, and what limited staff see: ``test_limited_staff.py``
- ``buttons``, ``switch_buttons``, ``proof``: ``test_connection_actions.py``, ``test_api_clients.py``
- ``push_forms``: ``test_received_push.py``
- ``app_key``, ``app_key_forms``: ``test_app_keys.py`` · ``registered_client``: ``test_registered_clients.py``
- ``finding``, ``watch_rule``: ``test_findings.py``
- ``charts``: ``test_dashboard.py`` · ``many``: ``test_bulk_job.py``, ``test_held_connection.py``
- ``webhook_endpoint``, ``webhook_delivery``: ``test_webhooks.py`` · ``notice``: ``test_notices.py``
- ``tenant_deletion``: ``test_tenants.py``, ``test_odd_forms.py`` · ``fields``: ``test_provider_app_form.py``,
  ``test_tenants.py``
"""
