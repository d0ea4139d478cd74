"""Key pairs of provider apps: the public halves to look at and to copy, and the ends of their certificates.

They are made and brought on the page of their app (``app_key_forms``), and certified and taken back here. No page reads
a private half.
"""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.access.app_keys import jwks_url
from connections.admin import columns, show
from connections.admin.app_key_forms import certify
from connections.admin.base import ReadOnlyAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.filters import id_filter
from connections.lifecycle.provision.app_keys import withdraw_key
from connections.lifecycle.steer.on_demand import Told
from connections.models import AppKey, AuditEvent

ENDS_SOON = timedelta(days=30)
_WITHDRAW_ASKS = (
    "Nothing is signed with it from now on, its public half is not published any more, and its private half is "
    "destroyed. If no other key of the app signs, its connections cannot be refreshed until one does."
)


def _withdraw(request: HttpRequest, row: AppKey) -> Told:
    done = withdraw_key(row, actor=operator_behind(request))
    return Told(done, "withdrawn", "Taken back, and the private half is destroyed." if done else "It was taken back.")


def _is_published(row: AppKey) -> bool:
    return row.is_published(now=read_at(row))


@admin.register(AppKey)
class AppKeyAdmin(ButtonsAdmin[AppKey], ReadOnlyAdmin[AppKey]):
    """The keys by their id."""

    list_title = "Keys of provider apps"

    buttons = (
        Button("certify", "Put certificates", certify, _is_published, has_own_page=True, needs_proof=True),
        Button("withdraw", "Take back", _withdraw, _is_published, asks=_WITHDRAW_ASKS, tone="danger", needs_proof=True),
    )
    list_display = ("kid", "app", "algorithm", "state", "signs", "certificate_end", "created")
    list_filter = ("algorithm", id_filter("app", "provider app", "provider_app_id"))
    list_select_related = ("provider_app__tenant",)
    search_fields = ("kid", "provider_app__name", "provider_app__provider", "provider_app__tenant__slug")
    search_help_text = "A key id, a provider app, a provider, a tenant or an id"
    id_search_fields = ("id", "provider_app_id")
    fields = (
        *("kid", "app", "algorithm", "is_brought", "state", "signs_from", "published_until", "created_at"),
        *("key_set", "shown_public_key", "certificate_end", "shown_certificates", "related"),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: AppKey | None = None) -> Any:
        return self.fields

    @admin.display(description="Provider app", ordering="provider_app__name")
    def app(self, row: AppKey) -> SafeString | str:
        return show.link(row.provider_app)

    @admin.display(description="State", ordering="signs_from")
    def state(self, row: AppKey) -> SafeString:
        now = read_at(row)
        if not row.is_published(now=now):
            return show.chip("Taken back", "plain")
        if row.signs_from > now:
            return show.chip("Published, signs later", "busy")
        return show.chip("In use", "good") if row.published_until is None else show.chip("Being replaced", "warn")

    signs = columns.moment("signs_from", "Signs from")
    created = columns.moment("created_at", "Made")

    @admin.display(description="Certificate ends", ordering="certificate_ends_at")
    def certificate_end(self, row: AppKey) -> SafeString | str:
        ends, now = row.certificate_ends_at, read_at(row)
        if ends is None:
            return show.NOTHING
        tone = "bad" if ends <= now else "warn" if ends <= now + ENDS_SOON else "good"
        return show.chip(show.moment(ends, now=now), tone, title=f"{ends:%Y-%m-%d}")

    @admin.display(description="Key set (JWKS)")
    def key_set(self, row: AppKey) -> SafeString:
        return show.copyable(jwks_url(row.provider_app_id))

    @admin.display(description="Public key")
    def shown_public_key(self, row: AppKey) -> SafeString | str:
        return _pem(row.public_key)

    @admin.display(description="Certificates")
    def shown_certificates(self, row: AppKey) -> SafeString | str:
        return _pem(row.certificates)

    @admin.display(description="See also")
    def related(self, row: AppKey) -> SafeString:
        app = row.provider_app_id
        return show.join(
            [show.list_link("The app's keys", AppKey, app=app), show.list_link("Audit trail", AuditEvent, app=app)],
            " · ",
        )


def _pem(text: str) -> SafeString | str:
    return format_html('<pre class="json">{}</pre>', text) if text else show.NOTHING
