"""Obtain: our registration at one issuer: the one that there is, else made now by one process alone.

A row is the claim: whoever inserts it, or takes over a claim that has run out, registers; the others wait for it. No
transaction and no lock spans the HTTP call. A registration is made anew where it does not fit any more: the issuer has
another token endpoint, our own address has changed, or the secret has run out. What the earlier one holds stays with
it, for the connections that were made with it, and goes to no other endpoint.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from connections.access.app_keys import has_signing_key
from connections.access.targets import redirect_uri
from connections.database.locks import lock_registered_client
from connections.database.pool import release_database, short_transaction
from connections.journal import audit
from connections.lifecycle.registration.document import document_url, metadata_of
from connections.lifecycle.registration.sealed import record
from connections.lifecycle.registration.ways import authentication_by, takes_none_of_ours, way_offered
from connections.lifecycle.throttle.bulkhead import Crowded, bulkhead
from connections.models import ProviderApp, RegisteredClient, RegistrationWay
from connections.refusals import AppMisconfigured, ProviderDown
from providers.errors import ProviderError, ProviderUnavailable
from providers.oauth import registration
from providers.oauth.registration import Registered
from providers.vocabulary import ClientAuthentication

LEASE = timedelta(seconds=60)
NOT_AGAIN = timedelta(seconds=60)
WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.1
REGISTERED = "provider_app.registered"


@dataclass(frozen=True, slots=True)
class _Offer:
    """How we register at a server, and how our client proves itself there."""

    way: RegistrationWay
    client_authentication: str


@dataclass(frozen=True, slots=True)
class _Claimed:
    """The registration that this process has to make. ``discovered`` names the client authentication to ask for."""

    client: RegisteredClient
    until: datetime
    discovered: Mapping[str, str]


def obtain(app: ProviderApp, discovered: Mapping[str, str], *, actor: audit.Actor) -> RegisteredClient:
    """Return our registered client at the issuer that ``discovered`` describes, made now if there is none.

    HTTP where one has to be made; waits up to 10 s for another process that makes it. Opens short transactions, none
    of which spans either. Raises ``AppMisconfigured`` where the server admits us no such way, and ``ProviderDown``.
    """
    offer = _offer(app, discovered)
    give_up_at = time.monotonic() + WAIT_SECONDS
    while (found := _claim(app, discovered, offer, actor=actor)) is None:
        if time.monotonic() >= give_up_at:
            raise ProviderDown("The registration at the server takes long. Try again soon.")
        release_database()
        try:
            with bulkhead.place(app.id, discovered["issuer"]):
                time.sleep(_LOOK_SECONDS)
        except Crowded:
            raise ProviderDown("Many wait for a registration at this server. Try again soon.") from None
    return found if isinstance(found, RegisteredClient) else _register(app, found, actor=actor)


def fits(client: RegisteredClient, discovered: Mapping[str, str], *, now: datetime) -> bool:
    """Whether a registered ``client`` still serves at the server that ``discovered`` describes. No I/O."""
    is_same_party = client.discovered.get("token") == discovered.get("token")
    has_its_address = client.redirect_uri == redirect_uri(client.id)
    if client.way == RegistrationWay.METADATA_DOCUMENT:
        has_its_address = has_its_address and client.client_id == document_url(client)
        taken = discovered.get("client_authentications", "").split()
        is_same_party = is_same_party and (not taken or client.discovered.get("client_authentication") in taken)
    return is_same_party and has_its_address and not client.has_ended(now=now)


def refusal_of(error: ProviderError, issuer: str) -> AppMisconfigured | ProviderDown:
    """Return what a failed registration means to whoever wanted it, in words for the operator."""
    if isinstance(error, ProviderUnavailable):
        return ProviderDown("The authorization server cannot be reached at the moment. Try again soon.")
    code = f" ({error.evidence.error})" if error.evidence.error else ""
    return AppMisconfigured(
        f"The authorization server {issuer} does not register us: {error.evidence.detail}{code} Many let in only "
        "clients that they know: register by hand there, and enter the client id."
    )


def _offer(app: ProviderApp, discovered: Mapping[str, str]) -> _Offer | None:
    """Return how ``app`` registers at the server that ``discovered`` describes, None where that takes hands."""
    has_key = has_signing_key(app)
    way = way_offered(discovered, has_key=has_key)
    return None if way is None else _Offer(way, authentication_by(way, discovered, has_key=has_key))


def _claim(
    app: ProviderApp, discovered: Mapping[str, str], offer: _Offer | None, *, actor: audit.Actor
) -> RegisteredClient | _Claimed | None:
    """Return the client if it is registered, the claim to register it, or None while another process does.

    One short transaction that locks the row.
    """
    issuer = discovered["issuer"]
    with short_transaction() as now:
        client = lock_registered_client(provider_app_id=app.id, issuer=issuer, replaced_at=None)
        if client is not None and client.is_registered:
            if fits(client, discovered, now=now):
                kept = {"client_authentication": client.discovered.get("client_authentication", "")}
                client.look({**discovered, **kept}, at=now)
                return client
            client.replace(at=now)
            client = None
        if offer is None:
            raise _takes_hands(issuer, discovered)
        if client is not None and client.is_claimed(now=now):
            return None
        if client is not None and _is_refused(client, offer, now=now):
            raise AppMisconfigured(client.problem)
        if client is None:
            client = _insert(app, issuer, offer.way, discovered, now=now)
            if client is None:
                return None
        client.begin(offer.way, redirect_uri=redirect_uri(client.id), until=now + LEASE)
        discovered = {**discovered, "client_authentication": offer.client_authentication}
        if offer.way is RegistrationWay.METADATA_DOCUMENT:
            method = ClientAuthentication(offer.client_authentication)
            record(client, Registered(document_url(client), None, method), discovered=discovered, now=now)
            tell(REGISTERED, client, actor=actor)
            return client
        return _Claimed(client, now + LEASE, discovered)


def _is_refused(client: RegisteredClient, offer: _Offer, *, now: datetime) -> bool:
    """Whether the server has just refused to register the ``client`` as we would ask again now."""
    is_the_same = client.way == offer.way and client.redirect_uri == redirect_uri(client.id)
    return bool(client.problem) and is_the_same and client.renew_at is not None and client.renew_at > now


def _takes_hands(issuer: str, discovered: Mapping[str, str]) -> AppMisconfigured:
    if takes_none_of_ours(discovered):
        taken = ", ".join(discovered.get("client_authentications", "").split()[:8])
        return AppMisconfigured(
            f"The authorization server {issuer} takes only clients that prove themselves by {taken or 'other means'}: "
            "make a key pair for the provider app if private_key_jwt is among them, or register there by hand, and "
            "enter the client id in a provider app of this server alone."
        )
    return AppMisconfigured(
        f"The authorization server {issuer} registers no clients by itself: register there by hand, and enter "
        "the client id in a provider app of this server alone."
    )


def _insert(
    app: ProviderApp, issuer: str, way: RegistrationWay, discovered: Mapping[str, str], *, now: datetime
) -> RegisteredClient | None:
    """Insert a row without a client id, or return None where another process was faster."""
    client = RegisteredClient(
        provider_app=app, issuer=issuer, way=way, discovered=dict(discovered), looked_at=now, claimed_until=now + LEASE
    )
    client.redirect_uri = redirect_uri(client.id)
    try:
        with transaction.atomic():
            client.save(force_insert=True)
    except IntegrityError:
        return None
    return client


def _register(app: ProviderApp, claimed: _Claimed, *, actor: audit.Actor) -> RegisteredClient:
    """Register the claimed client (HTTP), and store the answer before anything else is done."""
    client, discovered = claimed.client, claimed.discovered
    metadata = metadata_of(app, client.id, discovered)
    release_database()
    outcome: Registered | ProviderError
    try:
        with bulkhead.place(app.id, client.issuer):
            outcome = registration.register(discovered["registration"], metadata)
    except ProviderError as error:
        outcome = error
    with short_transaction() as now:
        locked = lock_registered_client(id=client.id)
        if locked is None or locked.claimed_until != claimed.until:
            raise ProviderDown("The registration at the server took long. Try again.")
        if isinstance(outcome, Registered):
            record(locked, outcome, discovered=discovered, now=now)
            tell(REGISTERED, locked, actor=actor)
            return locked
        refusal = refusal_of(outcome, client.issuer)
        is_outage = isinstance(refusal, ProviderDown)
        locked.fail("" if is_outage else refusal.detail, try_again_at=now + NOT_AGAIN)
        tell(REGISTERED, locked, actor=actor, failure=outcome)
    raise refusal


def tell(action: str, client: RegisteredClient, *, actor: audit.Actor, failure: ProviderError | None = None) -> None:
    """Write the audit row of a registration that was made or renewed, or could not be."""
    detail = {"provider_app": str(client.provider_app_id), "issuer": client.issuer, "way": str(client.way)}
    audit.record(
        action,
        decision=audit.ALLOWED if failure is None else failure.code,
        actor=actor,
        tenant_id=client.provider_app.tenant_id,
        detail=detail if failure is None else detail | {"evidence": failure.evidence.as_dict()},
    )
