"""How pushes travel over the API: where a provider sends what it tells us by itself, how that is known, what came."""

import uuid
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from connections.access.targets import push_address
from connections.api.pages import Page
from connections.api.texts import ClientSecret, Request
from connections.lifecycle.provision.push_secrets import push_fingerprints
from connections.lifecycle.pushes.receive import rules_of
from connections.models import ProviderApp, PushState, ReceivedPush
from connections.refusals import NotFound


class PushSecretIn(Request):
    """A secret by which the provider signs what it sends from now on."""

    secret: ClientSecret = Field(description="as the provider shows it; the one before it stays known")


class PushSecretsOut(BaseModel):
    """What tells an app's push secrets apart, the newest first. They are never shown themselves."""

    fingerprints: list[str]


class PushOut(BaseModel):
    """How the provider of an app tells us what happens there.

    ``address`` is what to register at the provider, as ``steps`` say. ``known_by`` is what proves a push. ``ends`` are
    the types of events that end connections; whatever else comes is passed on as the event ``provider.event``.
    """

    address: str = Field(description="what to register at the provider")
    known_by: Literal["push_secret", "client_secret", "issuer_keys"] = Field(description="what proves a push")
    secret_label: str = Field(description="the provider's word for the push secret; empty where there is none")
    secrets: int = Field(description="how many push secrets are in use")
    steps: list[str] = Field(description="what to do at the provider, a sentence each")
    ends: list[str] = Field(description="the types of events that end connections")
    last_received_at: datetime | None = Field(description="when a push was last believed")
    last_refused_at: datetime | None = Field(description="when a push was last refused")
    last_refusal: str = Field(description="why, as a code: `signature` most of all; empty where none was")


class ReceivedPushOut(BaseModel):
    """One push that came. Of what it said only its types are kept.

    ``why`` is the code of a refusal, and ``count`` how many refused ones the row stands for. ``connections`` counts
    those that it was about.
    """

    id: uuid.UUID
    state: PushState = Field(description="what came of it")
    why: str = Field(description="why it was refused, as a code; empty where it was not")
    event_types: list[str] = Field(description="the provider's types of its events")
    connections: int = Field(description="how many connections it was about")
    ended: int = Field(description="how many of them it has ended")
    forwarded: int = Field(description="how many events `provider.event` came of it")
    count: int = Field(description="how many refused pushes the row stands for")
    repeats: int = Field(description="how often the same delivery came again")
    received_at: datetime = Field(description="when it came")


class ReceivedPushPage(Page[ReceivedPushOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def push_out(app: ProviderApp) -> PushOut:
    """Return what the API shows of the pushes to ``app``. A few queries. Raises ``NotFound`` where it gets none."""
    rules = rules_of(app)
    if rules is None:
        raise NotFound("The provider of this app sends nothing by itself, as far as its entry says.")
    rows = ReceivedPush.objects.filter(provider_app=app)
    refused = rows.filter(state=PushState.REFUSED).first()
    taken = rows.exclude(state=PushState.REFUSED).first()
    known_by = {"push_secret": "push_secret", "client_secret": "client_secret", "none": "issuer_keys"}
    return PushOut.model_validate(
        {
            "address": push_address(app.id),
            "known_by": known_by[rules.key],
            "secret_label": rules.secret_label if rules.key == "push_secret" else "",
            "secrets": len(push_fingerprints(app)) if rules.key == "push_secret" else 0,
            "steps": list(rules.steps),
            "ends": [event.type for event in rules.events if event.means == "ended"],
            "last_received_at": None if taken is None else taken.received_at,
            "last_refused_at": None if refused is None else refused.received_at,
            "last_refusal": "" if refused is None else refused.why,
        }
    )


def received_push_out(row: ReceivedPush) -> ReceivedPushOut:
    """Return what the API shows of one push. No I/O."""
    return ReceivedPushOut(
        id=row.id,
        state=PushState(row.state),
        why=row.why,
        event_types=row.event_types,
        connections=row.connections,
        ended=row.ended,
        forwarded=row.forwarded,
        count=row.count,
        repeats=row.repeats,
        received_at=row.received_at,
    )
