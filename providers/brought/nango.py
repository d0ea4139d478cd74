"""A connection from an object of Nango's: as its API answers for one connection, or as its database keeps it opened.

The members are those of ``GET /connection/{id}`` and ``POST /connections`` (docs of its HTTP API, and the types of its
repository, read in November 2026): ``connection_id``, ``provider_config_key``, ``provider``, ``connection_config``,
``metadata``, ``tags``, ``end_user`` with its ``organization``, and ``credentials``, whose ``type`` says which members
it has. A row of the database whose credentials are still encrypted holds nothing that can be used here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from providers.brought.columns import (
    check_storable,
    metadata_of,
    object_of,
    scopes_of,
    secret_of,
    text_of,
    typed_secret_of,
)
from providers.brought.connection import BroughtConnection, RowFault
from providers.brought.moments import moment_of
from providers.values import Brought

# Members of credentials that are no secret that an end user typed.
_NOT_TYPED = frozenset(
    {
        *("type", "raw", "expires_at", "config_override", "access_token", "refresh_token", "token", "token_type"),
        *("oauth_token", "oauth_token_secret", "apiKey", "api_key", "jwtToken"),
    }
)
_NO_PARAMS = frozenset({"oauth_scopes", "oauth_scopes_override", "authorization_params"})


def connection_of(row: Any) -> BroughtConnection:
    """Return what one of Nango's objects says of a connection. Raises ``RowFault``. No I/O."""
    if not isinstance(row, Mapping):
        raise RowFault("unreadable_row", "The row is no object.")
    check_storable(row)
    held = object_of(row.get("credentials"), field="credentials")
    if "encrypted_credentials" in held or row.get("credentials_iv"):
        raise RowFault(
            "encrypted",
            "Its credentials are encrypted: export the connection by the API, or decrypt the rows of the database.",
            field="credentials",
        )
    if not held:
        raise RowFault("missing_field", "It has no credentials.", field="credentials")
    settings = object_of(row.get("connection_config"), field="connection_config")
    person = object_of(row.get("end_user") or row.get("endUser"), field="end_user")
    organization = object_of(person.get("organization"), field="end_user.organization")
    tags = object_of(row.get("tags"), field="tags")
    override = object_of(held.get("config_override"), field="credentials.config_override")
    source_id = text_of(row.get("connection_id"), field="connection_id")
    document = object_of(held.get("raw"), field="credentials.raw")
    metadata = dict(object_of(row.get("metadata"), field="metadata"))
    if tags:
        metadata.setdefault("tags", tags)
    key = text_of(row.get("provider_config_key"), field="provider_config_key")
    return BroughtConnection(
        credential=_credential(held, document),
        tenant=text_of(organization.get("id") or tags.get("organization_id"), field="end_user.organization.id"),
        provider=key,
        other_names=tuple(filter(None, [text_of(row.get("provider"), field="provider")])),
        end_user=text_of(person.get("id") or tags.get("end_user_id") or source_id, field="end_user.id"),
        source_id=source_id,
        client_id=text_of(override.get("client_id"), field="credentials.config_override.client_id", longest=500),
        expires_at=moment_of(held.get("expires_at"), field="credentials.expires_at"),
        scopes=scopes_of(document.get("scope") or settings.get("oauth_scopes"), field="connection_config.oauth_scopes"),
        loose_params=dict(_settings(settings)),
        metadata=metadata_of(metadata, field="metadata"),
    )


def _credential(held: Mapping[str, Any], document: dict[str, Any]) -> Brought:
    access = held.get("access_token") or held.get("token") or held.get("oauth_token")
    return Brought(
        access_token=secret_of(access, field="credentials.access_token"),
        refresh_token=secret_of(held.get("refresh_token"), field="credentials.refresh_token"),
        token_secret=secret_of(held.get("oauth_token_secret"), field="credentials.oauth_token_secret"),
        token_type=text_of(document.get("token_type"), field="credentials.raw.token_type", longest=64) or "Bearer",
        value=secret_of(held.get("apiKey") or held.get("api_key"), field="credentials.apiKey"),
        fields=dict(_typed(held)),
        document=document,
    )


def _typed(held: Mapping[str, Any]) -> Iterator[tuple[str, SecretStr]]:
    nested = object_of(held.get("credentials"), field="credentials.credentials")
    for name, value in {**{name: held[name] for name in held if name != "credentials"}, **nested}.items():
        if name in _NOT_TYPED or isinstance(value, dict | list):
            continue
        found = typed_secret_of(value, field=f"credentials.{name}")
        if found is not None:
            yield _snake(name), found


def _settings(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if name not in _NO_PARAMS and isinstance(value, str | int) and not isinstance(value, bool):
            yield _snake(name), text_of(value, field=f"connection_config.{name}", longest=2000)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
