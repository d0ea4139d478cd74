"""Receive: verify one push, keep what it orders, and say how to answer it. What it orders is done by a task (``act``).

Whoever can reach us can send one, so nothing is done for a stranger that costs: a limit comes before the first query,
what is refused gets few rows, and a refusal says nothing but which kind it is of.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from pydantic import SecretStr

from connections import dispatch
from connections.access.secrets import open_client_secrets, open_push_secrets
from connections.database.pool import release_database, short_transaction
from connections.journal.flood import Gate
from connections.lifecycle.pushes import allowance
from connections.lifecycle.pushes.concern import Whose
from connections.lifecycle.pushes.forward import forward
from connections.models import ProviderApp, PushState, ReceivedPush
from connections.refusals import Busy, CredentialUnreadable, NotFound, RateLimited
from connections.vault.sealing import Unreadable
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.pushes import PushRules
from providers.pushes.arrival import Arrival, Proven, PushRefused, digest_of
from providers.pushes.read import Answer, PushedEvent, answer_to, delivery_id, read_events, unproven_answer
from providers.pushes.verify import prove

LARGEST_BYTES = 1_048_576
_MOST_TYPES = 20
_HERE_ALREADY = ("push_once_a_delivery", "push_believed_once_a_proof")
_SIGNED_LATE = timedelta(minutes=5)  # so long after the end itself a provider may write and sign what tells of it
MAY_COME_LATE = timedelta(days=3)  # so long providers keep what did not arrive, and send it when somebody asks them to
_DECISIVE_FOR = timedelta(days=7)  # providers try again for some days; what comes later is asked about

logger = structlog.get_logger(__name__)
gate = Gate()


@dataclass(frozen=True, slots=True)
class Taken:
    """A push that was believed. ``answer`` is what it wants to see, if it is a question."""

    status: int
    answer: Answer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A push that was refused. ``by_token``: it should have been a security event token (RFC 8935 §2.4)."""

    why: str
    by_token: bool


def rules_of(app: ProviderApp) -> PushRules | None:
    """Return how the provider of ``app`` pushes, None if its entry does not say. No I/O."""
    try:
        return entry(app.provider).push
    except UnknownProvider:
        return None


def known_secrets(app: ProviderApp, rules: PushRules) -> tuple[SecretStr, ...]:
    """Return the secrets by which pushes to ``app`` are known, the newest first. One query. Raises ``Unreadable``."""
    if rules.key == "none":
        return ()
    return open_push_secrets(app) if rules.key == "push_secret" else open_client_secrets(app)


def receive(app_id: uuid.UUID, arrival: Arrival, *, address: str | None, now: datetime) -> Taken | NotTaken:
    """Take or refuse one push to the app, and keep what it orders, in one short transaction.

    Fetches the issuer's keys (HTTP) for a security event token, without a transaction. Raises ``NotFound`` for an app
    that gets none, ``RateLimited``, ``CredentialUnreadable`` where our own secret does not open, and ``Busy`` where the
    row of the same delivery went while this copy was to be counted on it.
    """
    sender = (app_id, allowance.place_of(address))
    # In this order: whoever is refused all the time takes nothing of what the provider's pushes need.
    if not allowance.refusals.take(sender, 0) or not allowance.pushes.take(app_id):
        raise RateLimited("Too many pushes at once: send it again.", retry_after_seconds=5)
    app = ProviderApp.objects.filter(id=app_id).first()
    rules = None if app is None else rules_of(app)
    if app is None or rules is None:
        raise NotFound("Nothing is received here.")
    if (asked := unproven_answer(rules, arrival)) is not None:
        return Taken(200, asked)
    try:
        secrets = known_secrets(app, rules)
    except Unreadable:
        logger.error("push_secret_unreadable", provider_app=str(app.id))
        raise CredentialUnreadable("This push cannot be verified now: send it again later.") from None
    try:
        if rules.scheme == "security_event_token":
            release_database()
        proven = prove(rules, arrival, secrets=secrets, client_id=app.client_id, now=now)
        if (answer := answer_to(rules, arrival, proven, secret=secrets[0] if secrets else None)) is not None:
            return Taken(200, answer)
        events = read_events(rules, arrival, proven)
    except PushRefused as refused:
        allowance.refusals.take(sender)
        _note_refused(app, refused.why, now=now)
        return NotTaken(refused.why, by_token=rules.scheme == "security_event_token")
    _keep(app, rules, arrival, proven, events, now=now)
    return Taken(rules.success_status)


def _keep(
    app: ProviderApp,
    rules: PushRules,
    arrival: Arrival,
    proven: Proven,
    events: list[PushedEvent],
    *,
    now: datetime,
) -> None:
    """Write the row of a push that was believed, and the events that it is to become. Once for each delivery.

    The database decides which of two copies was first, also where they arrive at once. Raises ``Busy`` where nothing
    has been kept.
    """
    named = delivery_id(rules, arrival, proven)
    can_repeat = rules.scheme == "shared_secret"  # who knows the secret can write any, and equal ones do come
    delivery = None if can_repeat else digest_of(named.encode()) if named else proven.proof
    for is_echo in (False, True):
        push = ReceivedPush(
            provider_app=app,
            state=PushState.DONE,
            event_types=list(dict.fromkeys(event.type for event in events))[:_MOST_TYPES],
            delivery=delivery,
            proof=None if can_repeat else proven.proof,
            is_echo=is_echo,
            is_dated=rules.is_dated or bool(rules.occurred_at),
            orders=[
                _order(event, rules, proven, is_echo=is_echo, now=now)
                for event in events
                if event.means != "other" and event.accounts
            ],
            received_at=now,
            done_at=now,
        )
        if push.orders:
            push.state, push.done_at = PushState.WAITING, None
        others = [] if is_echo else [event for event in events if event.means == "other"]
        with short_transaction():
            if _is_first(push):
                push.note_forwarded(forward(app, rules, others, now=now))
                if push.orders:
                    dispatch.act_on_push_later(push.id)
                return
            of_delivery = ReceivedPush.objects.filter(provider_app=app, delivery=delivery)
            if of_delivery.update(repeats=F("repeats") + 1):
                return
    raise Busy("This push could not be kept: send it again.")


def _is_first(push: ReceivedPush) -> bool:
    """Insert ``push``, and return whether there was none of its delivery or, unless it is an echo, of its proof."""
    try:
        with transaction.atomic():
            push.save(force_insert=True)
    except IntegrityError as error:
        if not any(constraint in str(error.__cause__) for constraint in _HERE_ALREADY):
            raise
        return False
    return True


def _order(event: PushedEvent, rules: PushRules, proven: Proven, *, is_echo: bool, now: datetime) -> dict[str, Any]:
    happened = min(event.occurred_at or proven.signed_at or now, now)
    is_decisive = event.means == "ended" and not is_echo and now - happened < _DECISIVE_FOR
    whose = Whose(event.accounts, rules.account_param, event.is_beginning)
    return {
        "type": event.type,
        "means": "ended" if is_decisive else "doubtful",
        "whose": whose.as_json(),
        "occurred_at": happened.isoformat(),
        "late_seconds": _late_by(event, proven).total_seconds(),
    }


def _late_by(event: PushedEvent, proven: Proven) -> timedelta:
    """Return by how much what ``event`` tells of may lie before the moment that is known of it."""
    if event.occurred_at is not None:
        return timedelta(0)
    return _SIGNED_LATE if proven.signed_at is not None else MAY_COME_LATE


def _note_refused(app: ProviderApp, why: str, *, now: datetime) -> None:
    admitted = gate.admit((app.id, why))
    logger.warning("push_refused", provider_app=str(app.id), why=why)
    if admitted is not None:
        count = 1 + admitted.get("left_out", 0)
        ReceivedPush.objects.create(
            provider_app=app, state=PushState.REFUSED, why=why, count=count, received_at=now, done_at=now
        )
