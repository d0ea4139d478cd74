"""The operators' UI: Django's admin over every table.

What the lifecycle owns is shown and never edited here; what operators may do to it are buttons and actions that make
one lifecycle call each. No page shows a stored secret: columns that hold one are not even read.

- ``dashboard``: the first page · ``tenant``, ``provider_app``, ``api_client``, ``connect_session``, ``connection``,
  ``credential``, ``incident``, ``journal``, ``operators``: the pages of one kind of row each
- ``connection_page``: what a connection tells at a glance · ``tenant_deletion``: its button, and its question
- ``provider_app_form``: fields by the catalogue entry, secrets written and never shown
- ``base``, ``buttons``, ``switch_buttons``, ``columns``, ``filters``, ``fields``, ``show``: what the pages share
- ``proof``: a password asked for again · ``logins``: who came in, and who did not
- ``refused``: a form that is not ours
"""

from connections.admin import (
    api_client,
    connect_session,
    connection,
    credential,
    incident,
    journal,
    logins,
    operators,
    provider_app,
    tenant,
)

__all__ = [
    "api_client",
    "connect_session",
    "connection",
    "credential",
    "incident",
    "journal",
    "logins",
    "operators",
    "provider_app",
    "tenant",
]
