"""Modules that have no test file of their own here:

- ``staff``: ``test_constraints.py``, ``tests/connections/admin/test_limited_staff.py``
- ``connection``, ``revocation``, ``credential_version``, ``refresh_attempt``, ``connect_session``, ``scope``,
  ``incident``, ``api_client``, ``tenant``, ``tenant_domain``, ``brand``,
  ``provider_app``, ``app_key``, ``registered_client``, ``data_key``, ``burnt_code``, ``audit_event``,
  ``audit_seal``, ``connect_step``, ``bulk_job``, ``outbox_event``,
  ``unread_answer``, ``subject_token``, ``management_session``, ``access_grant``, ``offboarding``, ``trusted_issuer``,
  ``approval``, ``kept_answer``, ``import_run``, ``bundle``, ``webhook_endpoint``,
  ``webhook_delivery``, ``received_push``, ``notice``, ``watching``, ``figures``: their constraints by
  ``test_constraints.py``
- ``connection_rows``, ``connection_indexes``, ``beginnings``: ``tests/connections/admin/test_pages.py``
- ``kinds``: the constraints on connections there
- ``mutators``, and the mutators: ``test_states.py``, ``tests/connections/lifecycle/health/test_status.py``
- ``failures``: ``tests/connections/consent/test_words.py``
"""
