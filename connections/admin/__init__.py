"""The operators' UI: Django's admin over every table.

The pages show what the lifecycle owns and never edit it. Operators act on it by buttons and actions, which make one
lifecycle call each. No page shows a stored secret: columns that hold one are not even read.

- ``dashboard``: the first page · ``tenant``, ``tenant_domain``, ``brand``, ``provider_app``, ``api_client``,
  ``connect_session``, ``connection``, ``credential``, ``incident``, ``journal``, ``operators``: the pages of one kind
  of row each
- ``connection_page``: the summary and history of a connection · ``held_connection``: whose refreshes wait after a
  restore · ``many``: one act on many connections · ``tenant_deletion``: its button and its question
- ``downloads``: what is noted of a file that leaves
- ``management_session``: visits of end users to their own connections
- ``access_grant``, ``approval``: who may use whose connection · ``offboarding``: receipts of those who left
- ``trusted_issuer``: whose tokens are believed · ``import_run``, ``bundle``: what came from elsewhere, and left
- ``finding``: suspicious use of API clients · ``watch_rule``: what is looked for, and what is done about it
- ``webhook_endpoint``, ``webhook_delivery``: where events are delivered, and how far each has come
- ``app_key``: the key pairs of provider apps, and ``app_key_forms``: the pages on which they are made
- ``client_secret_forms``: a secret is rotated, and the earlier ones end
- ``received_push``: what providers have told by themselves · ``push_forms``: the secret by which that is known
- ``registered_client``: what provider apps have registered without hands
- ``trial``: an operator goes through a consent with an app, and ends it again
- ``widget_preview``: the widget's pages for one app, framed
- ``provider_app_page``: what is left to set up of an app, and how it does
- ``provider_app_form``: fields by the catalogue entry, secrets written and never shown
- ``long_list``: what very long lists share · ``charts``: figures as pictures
- ``base``, ``buttons``, ``switch_buttons``, ``columns``, ``filters``, ``fields``, ``searched``, ``boxes``, ``show``:
  what the pages share
- ``forecast``: what will end, when and why
- ``search``: the box in the header · ``catalogue``: the pages about providers, which are no rows
- ``gate``: refuses pages to those who may not open them, whatever the page would say
- ``bulk_job``: acts on many connections, and what came of each
- ``notice``: what the operator's people were told by mail
- ``audit_proof``: the seals of the audit trail, and what verified them
- ``people``: how staff log in: passwords, second factors, single sign-on, sessions
- ``proof``: asks once more who it is · ``logins``: audits logins, refused ones too, second factors and sessions
- ``refused``: the pages for a form that may be forged, and for a list that takes too long
"""

import django_stubs_ext

# Lets Django's generic classes be subscripted where a class statement does so: `admin.ModelAdmin[Tenant]`.
django_stubs_ext.monkeypatch()

from connections.admin import (  # noqa: E402 (only after that)
    access_grant,
    api_client,
    app_key,
    approval,
    audit_proof,
    brand,
    bulk_job,
    bundle,
    connect_session,
    connection,
    credential,
    finding,
    held_connection,
    import_run,
    incident,
    journal,
    logins,
    management_session,
    notice,
    offboarding,
    operators,
    provider_app,
    received_push,
    registered_client,
    tenant,
    tenant_domain,
    trusted_issuer,
    watch_rule,
    webhook_delivery,
    webhook_endpoint,
)

__all__ = [
    "access_grant",
    "api_client",
    "app_key",
    "approval",
    "audit_proof",
    "brand",
    "bulk_job",
    "bundle",
    "connect_session",
    "connection",
    "credential",
    "finding",
    "held_connection",
    "import_run",
    "incident",
    "journal",
    "logins",
    "management_session",
    "notice",
    "offboarding",
    "operators",
    "provider_app",
    "received_push",
    "registered_client",
    "tenant",
    "tenant_domain",
    "trusted_issuer",
    "watch_rule",
    "webhook_delivery",
    "webhook_endpoint",
]
