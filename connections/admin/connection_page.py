"""The contents of a connection's page: what it is, why it has its status, what happens next, and its history.

Reads a bounded number of rows in a fixed number of queries, however long the history is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, Q
from django.db.models.functions import Now
from django.utils.safestring import SafeString

from connections.access.staff import visible
from connections.admin import show
from connections.journal.audit import ALLOWED
from connections.lifecycle.credentials.scopes import missing_scopes
from connections.lifecycle.quarantine.standing import hold_of
from connections.lifecycle.self_service.receipts import Group, groups, receipts
from connections.lifecycle.steer.outlook import Step, outlook
from connections.models import (
    OPEN_STATES,
    AccessGrant,
    ApiClient,
    AuditEvent,
    Connection,
    ConnectSession,
    CredentialVersion,
    Incident,
    RefreshAttempt,
    Scope,
    SessionState,
    Status,
)
from providers.strategies import strategy_for

_READ_EVENTS = 200
_SHOWN_EVENTS = 25
_SHOWN_ATTEMPTS = 8
_SHOWN_USES = 6

_IN_WORDS = {
    "connect_session.created": "A connect session was made",
    "connect_session.started": "The end user followed the link",
    "connect_session.held": "What the end user brought is held",
    "connect_session.exchange": "The exchange failed",
    "connect_session.put_back": "The exchange failed, and may be repeated",
    "connect_session.choice_due": "A workspace is to be chosen",
    "connect_session.choice_declined": "The end user chose no workspace",
    "connect_session.mismatch": "The confirmation did not match: what was held is destroyed",
    "callback.refused": "A callback was refused",
    "callback.declined": "The end user declined at the provider",
    "connection.answer_discarded": "An unread answer was discarded",
    "connection.answer_read": "An answer that was unread has been read",
    "connection.answer_unread": "An answer could not be read, and is kept",
    "connection.connected": "Connected",
    "connection.disconnect": "An ending was asked for",
    "connection.described": "Its label, its metadata or the default were changed",
    "connection.paused": "Paused",
    "connection.probe": "Probed on demand",
    "connection.account_changed": "It turned out to be of another account",
    "connection.probe_ordered": "A probe was ordered",
    "connection.refresh": "Refreshed on demand",
    "connection.refresh_ordered": "A refresh was ordered",
    "connection.report": "A caller reported a refusal",
    "connection.resumed": "Resumed",
    "connection.revocation": "The revocation at the provider ended",
    "connection.status": "The status changed",
    "connection.suspended": "Suspended",
    "connection.unpaused": "Unpaused",
    "credential.open": "What was to be vended did not open",
    "credential.restored": "The stored credential opens again",
    "credential.undecryptable": "The stored credential does not open",
    "connection.proxied": "A proxied request ended",
    "connection.proxy": "A request was proxied",
    "credential.vend": "Vended",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the history. ``count`` is the number of consecutive uses by one caller that the line stands for."""

    event: AuditEvent
    text: str
    who: str
    count: int = 1

    @property
    def decision(self) -> SafeString | str:
        """The decision, if it is anything but plainly allowed; "" otherwise."""
        if self.event.decision == ALLOWED:
            return ""
        tone = "plain" if self.event.decision in Status.values else "warn"
        return (
            show.state_chip(self.event.decision, self.event.decision.replace("_", " "))
            if tone == "plain"
            else (show.chip(self.event.decision.replace("_", " "), tone))
        )

    @property
    def details(self) -> SafeString | str:
        """The details recorded with the event."""
        return show.facts(self.event.detail) if self.event.detail else ""


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """Everything that the page shows besides the columns themselves."""

    connection: Connection
    now: datetime
    steps: list[Step]
    is_held: bool
    incidents: list[Incident]
    scopes: list[Scope]
    attempts: list[RefreshAttempt]
    versions: list[CredentialVersion]
    history: list[Happened]
    grants: list[AccessGrant]
    uses: list[Group]
    session: ConnectSession | None
    shows: frozenset[str] = frozenset()
    facts: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes that were requested and not granted."""
        return missing_scopes(self.connection, self.scopes)


# What the page shows of other tables, each to those who may read that table.
_PANELS: tuple[type[Model], ...] = (
    AccessGrant,
    AuditEvent,
    ConnectSession,
    CredentialVersion,
    Incident,
    RefreshAttempt,
)


def connection_page(connection: Connection, *, now: datetime, user: User | AnonymousUser) -> ConnectionPage:
    """Return what ``user`` may read of the page of ``connection``, which has its tenant and provider app loaded.

    A dozen queries. ``shows`` has the names of the tables that the page tells of.
    """
    names = frozenset(str(model._meta.model_name) for model in _PANELS)
    shows = frozenset(name for name in names if user.has_perm(f"connections.view_{name}"))
    attempts = list(RefreshAttempt.objects.filter(connection=connection).order_by("-claimed_at")[:_SHOWN_ATTEMPTS])
    incidents = list(Incident.objects.concerning(connection))
    hold = hold_of(connection)
    open_attempt = next((attempt for attempt in attempts if attempt.state in OPEN_STATES), None)
    return ConnectionPage(
        connection=connection,
        now=now,
        steps=outlook(connection, attempt=open_attempt, incidents=incidents, hold=hold, now=now),
        is_held=hold is not None and hold.verdict is not None,
        incidents=_shown_incidents(incidents, user) if "incident" in shows else [],
        scopes=list(connection.scopes.all()),
        attempts=attempts,
        versions=list(
            CredentialVersion.objects.filter(connection=connection)
            .defer("secrets", "fingerprint")
            .order_by("-received_at")
        ),
        history=_history(connection) if "auditevent" in shows else [],
        grants=_grants(connection) if "accessgrant" in shows else [],
        uses=groups(receipts(connection.id, limit=_READ_EVENTS))[:_SHOWN_USES] if "auditevent" in shows else [],
        session=_session(connection) if "connectsession" in shows else None,
        shows=shows,
        facts=_facts(connection, now=now),
    )


def _shown_incidents(incidents: list[Incident], user: User | AnonymousUser) -> list[Incident]:
    """Return those that ``user`` may see: one of an app that all tenants share is of all tenants."""
    found = visible(user, Incident.objects.filter(pk__in=[one.pk for one in incidents]))
    seen = set(found.values_list("pk", flat=True))
    return [one for one in incidents if one.pk in seen]


def _grants(connection: Connection) -> list[AccessGrant]:
    """Return the grants under which others may use it, those for its provider among them, the newest first."""
    standing = AccessGrant.objects.for_tenant(connection.tenant_id).standing()
    found = standing.on(connection.id, provider=connection.provider).filter(
        Q(expires_at=None) | Q(expires_at__gt=Now())
    )
    return list(found.defer("terms").order_by("-created_at", "id")[: _SHOWN_ATTEMPTS + 1])


def _session(connection: Connection) -> ConnectSession | None:
    """Return the connect session by which it was connected last, while that is kept."""
    finished = ConnectSession.objects.filter(connection=connection, state=SessionState.COMPLETED)
    return finished.only("id", "created_at", "end_user").order_by("-created_at").first()


def _facts(connection: Connection, *, now: datetime) -> list[tuple[str, Any]]:
    account = connection.provider_account_name or connection.provider_account_id
    owner = connection.end_user or "the whole tenant"
    return [
        ("Provider app", show.link(connection.provider_app)),
        ("Tenant", show.link(connection.tenant)),
        ("Belongs to", show.code(owner) if connection.end_user else owner),
        ("Account at the provider", account or show.NOTHING),
        ("Label", f"{connection.label}{' (default)' if connection.is_default else ''}".strip() or show.NOTHING),
        ("Connected by", strategy_for(connection.provider_app.auth_style).title),
        ("Person", connection.get_binding_display()),
        ("Credential valid", _validity(connection, now=now)),
        ("Verified", _verified(connection, now=now)),
        ("Last vended", show.moment(connection.last_vended_at, now=now)),
        ("Connected", show.moment(connection.created_at, now=now)),
        ("How", show.list_link("Its connect sessions, step by step", ConnectSession, connection=connection.id)),
    ]


def _validity(connection: Connection, *, now: datetime) -> Any:
    if connection.current_version_id is None:
        return "no credential is stored"
    if connection.access_expires_at is None:
        return "nobody said until when: probes watch it"
    word = "expired" if connection.access_expires_at <= now else "expires"
    return show.join([word, show.moment(connection.access_expires_at, now=now)])


def _verified(connection: Connection, *, now: datetime) -> Any:
    if connection.verified_at is None:
        return "never"
    return show.join([show.moment(connection.verified_at, now=now), f"by {connection.verified_by}"])


def _history(connection: Connection) -> list[Happened]:
    told = AuditEvent.objects.of_connection(connection.id).exclude(action="connection.proxied", decision="answered")
    events = list(told.defer("fingerprint")[:_READ_EVENTS])
    ids = {event.api_client_id for event in events if event.api_client_id is not None}
    names = dict(ApiClient.objects.filter(id__in=ids).values_list("id", "name"))
    return _collapsed(Happened(event, _in_words(event), _who(event, names)) for event in events)[:_SHOWN_EVENTS]


def _collapsed(lines: Iterable[Happened]) -> list[Happened]:
    """Collapse consecutive plain uses of a kind into one line, so that they do not hide everything else."""
    shown: list[Happened] = []
    for line in lines:
        last = shown[-1] if shown else None
        if last is not None and _are_plain_uses(last.event, line.event) and last.who == line.who:
            shown[-1] = Happened(last.event, last.text, last.who, last.count + 1)
        else:
            shown.append(line)
    return shown


def _are_plain_uses(event: AuditEvent, other: AuditEvent) -> bool:
    same = (event.action, event.decision) == (other.action, other.decision)
    return same and event.action in ("credential.vend", "connection.proxy") and event.decision == ALLOWED


def _in_words(event: AuditEvent) -> str:
    if event.action == "credential.vend" and event.decision != ALLOWED:
        return "A vend was refused"
    if event.action == "connection.proxy" and event.decision != ALLOWED:
        return "A proxied request was refused"
    return _IN_WORDS.get(event.action, event.action.replace(".", " ").replace("_", " ").capitalize())


def _who(event: AuditEvent, names: dict[Any, str]) -> str:
    if event.operator:
        return event.operator
    if event.api_client_id is not None:
        client = names.get(event.api_client_id, "a deleted API client")
        return f"{client} for {event.subject}" if event.subject else client
    return event.subject or "Latchkey"
