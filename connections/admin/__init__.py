"""The operators' UI: Django's admin over every table.

What the lifecycle owns is shown and never edited here; what operators may do to it are buttons and actions that make
one lifecycle call each. No page shows a stored secret: columns that hold one are not even read.
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
