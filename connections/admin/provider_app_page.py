"""What the page of a provider app shows above its form: what is left to set up, step by step, and how it does.

Reads what was counted (``lifecycle.figures``) and a few rows, however many connections it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from connections.access.staff import Staff, is_limited, visible
from connections.access.targets import push_address, redirect_uri
from connections.admin import show
from connections.admin.client_secret_forms import told_of_secrets
from connections.admin.received_push import REFUSALS
from connections.models import (
    Connection,
    ConnectionFigures,
    ConnectSession,
    FiguresTaken,
    Incident,
    ProviderApp,
    PushState,
    ReceivedPush,
    RegisteredClient,
)
from connections.models.figures import ALL
from providers.catalog.loader import load_catalog
from providers.catalog.schema import CatalogEntry

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the set-up. ``is_done`` is None where only the provider knows."""

    text: str
    is_done: bool | None
    detail: SafeString | str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How the connections of an app are, as they were counted ``counted_at`` (None: not yet), and its incidents."""

    counts: Sequence[tuple[str, int, str, str]]  # label, number, address of the list, tone
    counted_at: datetime | None
    incidents: Sequence[Incident]


@dataclass(frozen=True, slots=True)
class AppPage:
    """Everything that stands above the form. ``console`` is where clients are registered, "" if nobody knows."""

    steps: Sequence[Step]
    pushes: Sequence[Step]  # what to do so that the provider tells us by itself; it is left to the operator
    console: str
    health: Health
    trials: Sequence[ConnectSession]
    now: datetime

    @property
    def is_set_up(self) -> bool:
        """Whether nothing that can be known is left to do."""
        return all(step.is_done is not False for step in self.steps)


def app_page(app: ProviderApp, *, has_secrets: bool, has_push_secret: bool, user: Staff, now: datetime) -> AppPage:
    """Return what the page of ``app`` shows to ``user``. Eight queries."""
    entry = load_catalog().get(app.provider)
    health = _health(app, user)
    is_used = any(count for _, count, _, _ in health.counts)
    steps = [] if entry is None else list(_steps(app, entry, user, has_secrets=has_secrets, is_used=is_used))
    pushes = [] if entry is None else list(_push_steps(app, entry, is_set=has_push_secret))
    console = "" if entry is None else entry.registration.console
    return AppPage(steps, pushes, console, health, _trials(app, user), now)


def _trials(app: ProviderApp, user: Staff) -> list[ConnectSession]:
    tried = visible(user, ConnectSession.objects.filter(provider_app=app)).exclude(tried_by="")
    columns = ("id", "tried_by", "state", "failure", "created_at")
    return list(tried.only(*columns).order_by("-created_at")[:_SHOWN])


def _steps(app: ProviderApp, entry: CatalogEntry, user: Staff, *, has_secrets: bool, is_used: bool) -> Iterator[Step]:
    method = entry.methods.get(app.auth_style)
    if app.registers_itself:
        clients = RegisteredClient.objects.filter(provider_app=app).count()
        made = show.list_link(f"{clients} so far", RegisteredClient, app=app.id)
        yield Step("Nothing is registered by hand: each authorization server gives a client id by itself.", True, made)
    elif app.redirects:
        uri = show.copyable(redirect_uri(app.id))
        yield Step(f"Register this redirect URI at {entry.name}, exactly as it is.", None, uri)
    if method is not None and method.takes_scopes:
        scopes = show.codes(app.scopes or entry.default_scopes)
        yield Step("Tick these scopes there, where it asks for them.", None, scopes)
    if app.by_consent and not app.registers_itself:
        client_id = show.code(app.client_id) if app.client_id else ""
        yield Step("Enter the client ID below.", bool(app.client_id), client_id)
        kept = told_of_secrets(app, in_full=not is_limited(user)) if has_secrets else ""
        secrets = kept or "not set: right for a public client alone"
        is_read = app.secret_failing_since is None
        yield Step(
            "Enter the client secrets below, the preferred first, or say from where they are read.",
            (has_secrets or None) and is_read,
            secrets,
        )
    theirs = show.list_link("its connections", Connection, app=app.id)
    yield Step("Let somebody connect.", is_used, theirs if is_used else "none yet: try it yourself first")


def _push_steps(app: ProviderApp, entry: CatalogEntry, *, is_set: bool) -> Iterator[Step]:
    """Yield what to do so that the provider tells us by itself what happens there. Two queries at most."""
    if (rules := entry.push) is None:
        return
    name = entry.name
    pushed = ReceivedPush.objects.filter(provider_app=app).only("received_at", "why")
    last = pushed.exclude(state=PushState.REFUSED).first()
    refused = pushed.filter(state=PushState.REFUSED).first()
    comes = last is not None or None
    ends = any(event.means == "ended" for event in rules.events)
    told = "tells us when a grant is gone" if ends else "tells us what happens there"
    address = show.copyable(push_address(app.id))
    yield Step(f"So that {name} {told}, register this address for its webhooks.", comes, address)
    for sentence in rules.steps:
        yield Step(sentence, comes)
    if rules.key == "push_secret":
        yield Step(
            f"Enter the push secret here ({name}: {rules.secret_label}).", is_set or None, "set" if is_set else ""
        )
    if refused is not None and (last is None or refused.received_at > last.received_at):
        why = REFUSALS.get(refused.why, refused.why)
        yield Step("The last push was refused.", False, show.list_link(why, ReceivedPush, app=app.id))


def _health(app: ProviderApp, user: Staff) -> Health:
    figures = ConnectionFigures.objects.filter(tenant_id=ALL if app.tenant_id is None else app.tenant_id)
    row: Any = figures.filter(provider_app_id=app.id).first()
    taken = FiguresTaken.objects.values_list("taken_at", flat=True).first()
    kinds = (
        ("Active", "active", {"status__exact": "active"}, "good"),
        ("Suspect", "suspect", {"status__exact": "suspect"}, "warn"),
        ("Needs re-authorization", "needs_reauth", {"status__exact": "needs_reauth"}, "bad"),
        ("Refreshes failing", "failing", {"health": "failing"}, "warn"),
        ("End within 7 days", "ending", {"health": "ending"}, "warn"),
    )
    counts = [
        (label, 0 if row is None else getattr(row, name), show.list_url(Connection, app=app.id, **filters), tone)
        for label, name, filters, tone in kinds
    ]
    incidents = visible(user, Incident.objects.filter(provider_app=app)).order_by("-opened_at")[:_SHOWN]
    return Health(counts, taken, list(incidents))
