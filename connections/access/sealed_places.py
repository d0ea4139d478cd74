"""Every column of sealed values: whose data key seals it, and to which place a row's value is bound."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Model, Q, QuerySet

from connections.access.app_keys import private_key_place
from connections.access.installation_key import installation_key_place
from connections.access.secrets import (
    answer_place,
    app_place,
    client_place,
    credential_place,
    import_place,
    kept_answer_place,
    push_content_place,
    push_place,
    session_place,
    subject_place,
    webhook_place,
)
from connections.models import (
    AppKey,
    ConnectSession,
    CredentialVersion,
    ImportRow,
    InstallationKey,
    KeptAnswer,
    ProviderApp,
    PushContent,
    RegisteredClient,
    SubjectToken,
    UnreadAnswer,
    WebhookSecret,
)
from connections.vault.sealing import Place

PAGE = 100


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """One column. ``owner`` says of a row whose data key seals it (None: the operator's), ``place`` what binds it.

    ``has_mark``: the row keeps a fingerprint of the credential, which is made with the same key.
    """

    model: type[Model]
    field: str
    owner: Callable[[Any], uuid.UUID | None]
    place: Callable[[Any], Place]
    related: tuple[str, ...] = ()
    has_mark: bool = False

    @property
    def name(self) -> str:
        """The table and the column, as people read them."""
        return f"{self.model._meta.db_table}.{self.field}"

    @property
    def names_key(self) -> bool:
        """Whether the row refers to the data key, beside the value that names it."""
        return any(field.name == "data_key" for field in self.model._meta.concrete_fields)

    def rows(self) -> QuerySet[Any]:
        """Return the rows that have a value, with what ``owner`` and ``place`` look at."""
        stored = self.model._default_manager.filter(**{f"{self.field}__isnull": False})
        return stored.select_related(*self.related) if self.related else stored

    def pages(self) -> Iterator[list[Any]]:
        """Yield all rows in the order of their keys, 100 at a time. A query each."""
        after = Q()
        while page := list(self.rows().filter(after).order_by("pk")[:PAGE]):
            yield page
            after = Q(pk__gt=page[-1].pk)


def _of_tenant(row: Any) -> uuid.UUID | None:
    owner: uuid.UUID | None = row.tenant_id
    return owner


def _of_connection(row: Any) -> uuid.UUID | None:
    owner: uuid.UUID | None = row.connection.tenant_id
    return owner


def _of_app(row: Any) -> uuid.UUID | None:
    owner: uuid.UUID | None = row.provider_app.tenant_id
    return owner


def _version(row: CredentialVersion) -> Place:
    owner = row.connection
    return credential_place(tenant_id=owner.tenant_id, connection_id=owner.id, version_id=row.id)


def _subject(row: Any) -> Place:
    owner = row.connection
    return subject_place(tenant_id=owner.tenant_id, connection_id=owner.id, version_id=row.version_id)


def _unread(row: UnreadAnswer) -> Place:
    owner = row.connection
    return answer_place(tenant_id=owner.tenant_id, connection_id=owner.id, answer_id=row.id)


def _pushed(row: Any) -> Place:
    event = row.event
    return push_content_place(tenant_id=row.tenant_id, connection_id=event.connection_id, event_id=event.event_id)


def sealed_places() -> list[SealedPlace]:
    """Return every column but the seeds of second factors. No I/O."""
    held = [
        SealedPlace(ConnectSession, field, _of_tenant, partial(_with_field, session_place, field))
        for field in ("code_verifier", "held")
    ]
    clients = [
        SealedPlace(RegisteredClient, field, _of_app, partial(_with_field, client_place, field), ("provider_app",))
        for field in ("secrets", "management")
    ]
    return [
        SealedPlace(CredentialVersion, "secrets", _of_connection, _version, ("connection",), has_mark=True),
        SealedPlace(SubjectToken, "secrets", _of_connection, _subject, ("connection",), has_mark=True),
        SealedPlace(UnreadAnswer, "answer", _of_connection, _unread, ("connection",)),
        SealedPlace(KeptAnswer, "answer", _of_tenant, lambda row: kept_answer_place(row.client_id, row.tenant_id)),
        SealedPlace(
            ImportRow,
            "content",
            _of_tenant,
            lambda row: import_place(tenant_id=row.tenant_id, run_id=row.run_id, row_id=row.id),
        ),
        *held,
        SealedPlace(ProviderApp, "secrets", _of_tenant, app_place),
        SealedPlace(ProviderApp, "push_secrets", _of_tenant, push_place),
        *clients,
        SealedPlace(
            AppKey, "private_key", _of_app, lambda row: private_key_place(row.provider_app, row.id), ("provider_app",)
        ),
        SealedPlace(
            WebhookSecret,
            "secret",
            lambda row: row.endpoint.tenant_id,
            lambda row: webhook_place(row.endpoint, row.id),
            ("endpoint",),
        ),
        SealedPlace(PushContent, "content", _of_tenant, _pushed, ("event",)),
        SealedPlace(InstallationKey, "private_key", lambda row: None, lambda row: installation_key_place(row.id)),
    ]


def _with_field(place: Callable[[Any, str], Place], field: str, row: Any) -> Place:
    return place(row, field)
