"""Registered clients: what provider apps have registered without hands, one row an authorization server.

No page reads a client secret, or the token by which a registration is changed.
"""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import id_filter
from connections.lifecycle.registration.renew import renew
from connections.lifecycle.steer.on_demand import Told
from connections.models import AuditEvent, Connection, RegisteredClient, RegistrationWay

_RENEW_ASKS = (
    "The authorization server is asked to renew the registration. Where it does not offer that, another registration "
    "takes its place: whoever connects from then on uses that, and the connections of now keep this one until its "
    "secret ends."
)


def _renew(request: HttpRequest, row: RegisteredClient) -> Told:
    renewed = renew(row.id, actor=operator_behind(request))
    if renewed.is_new:
        return Told(True, "replaced", f"Another registration has taken its place: {renewed.client.client_id}.")
    return Told(True, "renewed", "Renewed: the client id is the same.")


def _can_be_renewed(row: RegisteredClient) -> bool:
    return row.way == RegistrationWay.DYNAMIC and row.is_registered and row.replaced_at is None


@admin.register(RegisteredClient)
class RegisteredClientAdmin(ButtonsAdmin[RegisteredClient], ReadOnlyAdmin[RegisteredClient]):
    """The registrations, the newest first."""

    list_title = "Registered clients"

    buttons = (Button("renew", "Renew", _renew, _can_be_renewed, asks=_RENEW_ASKS, tone="primary"),)
    list_display = ("issuer", "app", "way", "state", "client", "secret_end", "registered")
    list_filter = ("way", id_filter("app", "provider app", "provider_app_id"))
    list_select_related = ("provider_app__tenant",)
    search_fields = ("issuer", "client_id", "provider_app__name", "provider_app__tenant__slug")
    search_help_text = "An issuer, a client ID, a provider app, a tenant or an id"
    id_search_fields = ("id", "provider_app_id")
    fields = (
        *("issuer", "app", "way", "state", "shown_problem", "shown_client_id", "shown_redirect_uri", "registered_at"),
        *("secret_end", "renew_at", "looked_at", "shown_discovered", "related"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: RegisteredClient | None = None) -> Any:
        return self.fields

    @admin.display(description="Provider app", ordering="provider_app__name")
    def app(self, row: RegisteredClient) -> SafeString | str:
        return show.link(row.provider_app)

    @admin.display(description="State", ordering="replaced_at")
    def state(self, row: RegisteredClient) -> SafeString:
        if row.replaced_at is not None:
            return show.chip("Replaced", "plain")
        if not row.is_registered:
            return show.chip("Refused", "bad") if row.problem else show.chip("Being registered", "busy")
        if row.has_ended(now=read_at(row)):
            return show.chip("Its secret has ended", "bad")
        return show.chip("Not renewed yet", "warn") if row.problem else show.chip("In use", "good")

    @admin.display(description="Client ID", ordering="client_id")
    def client(self, row: RegisteredClient) -> SafeString | str:
        return show.code(row.client_id)

    @admin.display(description="Secret ends", ordering="secret_expires_at")
    def secret_end(self, row: RegisteredClient) -> SafeString | str:
        if row.secret_expires_at is None:
            return show.NOTHING
        tone = "bad" if row.has_ended(now=read_at(row)) else "warn" if row.problem else "good"
        ends = row.secret_expires_at
        return show.chip(show.moment(ends, now=read_at(row)), tone, title=f"{ends:%Y-%m-%d %H:%M}")

    @admin.display(description="Problem")
    def shown_problem(self, row: RegisteredClient) -> str:
        return row.problem or show.NOTHING

    @admin.display(description="Client ID")
    def shown_client_id(self, row: RegisteredClient) -> SafeString | str:
        return show.copyable(row.client_id) if row.client_id else show.NOTHING

    @admin.display(description="Redirect URI")
    def shown_redirect_uri(self, row: RegisteredClient) -> SafeString:
        return show.copyable(row.redirect_uri)

    registered = columns.moment("registered_at", "Registered")
    shown_discovered = columns.as_json("discovered", "The issuer's metadata")

    @admin.display(description="See also")
    def related(self, row: RegisteredClient) -> SafeString:
        app = row.provider_app_id
        return show.join(
            [
                show.list_link("The app's connections", Connection, app=app),
                show.list_link("The app's registrations", RegisteredClient, app=app),
                show.list_link("Audit trail", AuditEvent, app=app),
            ],
            " · ",
        )
