"""Access grants: who may use whose connection. They are given and revoked here, and never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connections.admin import columns, show
from connections.admin.base import OperatorAdmin, operator_behind, read_at
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.fields import MomentField
from connections.admin.filters import ChoiceFilter, TenantFilter, id_filter
from connections.admin.proof import MAY_ENTRUST, prove, with_request
from connections.database.clock import database_now
from connections.lifecycle.policy.give import Terms, check_terms, give
from connections.lifecycle.policy.revoke import revoke_grant
from connections.lifecycle.steer.on_demand import Told
from connections.models import AccessGrant, ApiClient, AuditEvent, Connection, SubjectKind
from connections.models.access_grant import READ_ONLY
from connections.refusals import Refusal

_NONE = "-"
_LIMIT_HELP = "One a line. Empty: no limit. A single hyphen: none at all."
_REVOKE_ASKS = (
    "The subject may not use the connection from the next request on. A credential that was handed out under this "
    "grant lives until its own end. A revoked grant is not put in force again: give another one."
)
_NOT_ENTRUSTED = (
    "A grant to an API client or an agent lets it act without an end user. It needs an operator with the right to "
    "entrust API clients: ask one."
)


class Lines(forms.CharField):
    """Several names, one a line: None for no line, and an empty list for a single hyphen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 3}), **options)

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        return [] if lines == [_NONE] else lines or None


class AccessGrantForm(forms.ModelForm[AccessGrant]):
    """The terms of a new grant. Giving one needs a proof of who gives it."""

    request: HttpRequest

    allowed_scopes = Lines(label="Scopes", help_text=_LIMIT_HELP)
    readonly = forms.BooleanField(label="Read only", required=False, help_text="Short for the methods GET and HEAD.")
    allowed_methods = Lines(label="Methods", help_text=f"Of proxied requests. {_LIMIT_HELP}")
    allowed_paths = Lines(
        label="Paths",
        help_text=f"Of proxied requests. * is one segment, /** at the end whatever is below. {_LIMIT_HELP}",
    )

    expires_at = MomentField(label="Until (UTC)", help_text="Empty: until somebody revokes it.")

    class Meta:
        model = AccessGrant
        fields = (
            "tenant",
            "subject_kind",
            "subject",
            "connection",
            "provider",
            "allows_vend",
            "needs_approval",
            "expires_at",
            "note",
        )
        labels = {"allows_vend": "May hold the credential"}
        help_texts = {
            "subject": "The end user's id, the group's name, what the agent calls itself, or the API client's id.",
            "connection": "Either one connection,",
            "provider": "or every connection of the tenant at one provider, by its slug.",
            "needs_approval": "Somebody has to approve each thing that is done under it.",
            "allows_vend": "Hands the credential out even where it can do more than the limits allow, or lives longer.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned["readonly"] and cleaned["allowed_methods"] is not None:
            self.add_error("readonly", "Choose either this or methods.")
            return cleaned
        kind = SubjectKind(cleaned["subject_kind"])
        if kind in (SubjectKind.API_CLIENT, SubjectKind.AGENT) and not self.request.user.has_perm(MAY_ENTRUST):
            self.add_error(None, _NOT_ENTRUSTED)
        try:
            check_terms(self.terms(), tenant=cleaned["tenant"], now=database_now(), actor=operator_behind(self.request))
        except Refusal as refusal:
            field = {"methods": "allowed_methods", "paths": "allowed_paths"}.get(refusal.extra.get("field", ""))
            known = field or refusal.extra.get("field")
            self.add_error(known if known in self.fields else None, refusal.detail)
        if not self.errors:
            prove(self.request)  # a grant opens somebody's connection
        return cleaned

    def terms(self) -> Terms:
        """Return the terms that the form names."""
        cleaned = self.cleaned_data
        return Terms(
            subject_kind=SubjectKind(cleaned["subject_kind"]),
            subject=cleaned["subject"],
            connection_id=cleaned["connection"].id if cleaned["connection"] else None,
            provider=cleaned["provider"],
            scopes=cleaned["allowed_scopes"],
            methods=READ_ONLY if cleaned["readonly"] else cleaned["allowed_methods"],
            paths=cleaned["allowed_paths"],
            allows_vend=cleaned["allows_vend"],
            needs_approval=cleaned["needs_approval"],
            expires_at=cleaned["expires_at"],
            note=cleaned["note"],
        )


class _StateFilter(ChoiceFilter):
    """By whether a grant allows anything."""

    title = parameter_name = "state"
    known = {
        "standing": ("Standing", Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))),
        "expired": ("Expired", Q(revoked_at=None, expires_at__lte=Now())),
        "revoked": ("Revoked", Q(revoked_at__isnull=False)),
    }


def _revoke(request: HttpRequest, row: AccessGrant) -> Told:
    revoked = revoke_grant(row.id, now=database_now(), actor=operator_behind(request))
    return Told(revoked, "revoked", "Revoked: it allows nothing any more." if revoked else "It was revoked already.")


@admin.register(AccessGrant)
class AccessGrantAdmin(ButtonsAdmin[AccessGrant], OperatorAdmin[AccessGrant]):
    """The grants, the newest first."""

    list_title = "Access grants"
    form = AccessGrantForm
    buttons = (
        Button("revoke", "Revoke", _revoke, lambda row: row.revoked_at is None, asks=_REVOKE_ASKS, tone="danger"),
    )
    actions = None
    list_display = ("who", "on", "shown_limits", "state", "shown_tenant", "expires", "given")
    list_filter = (
        _StateFilter,
        "subject_kind",
        TenantFilter,
        id_filter("connection", "connection", "connection_id"),
    )
    list_select_related = ("tenant", "connection")
    search_fields = ("subject", "provider", "granted_by", "note", "tenant__slug")
    search_help_text = "A subject, a provider, who gave it, a note, a tenant or an id"
    id_search_fields = ("id", "connection_id", "tenant_id")
    # By id one could ask for rows of others: Django says on the form what any id is of.
    autocomplete_fields = ("tenant", "connection")
    _shown = (
        *(
            "who",
            "on",
            "shown_tenant",
            "state",
            "shown_scopes",
            "shown_methods",
            "shown_paths",
            "allows_vend",
            "needs_approval",
        ),
        *("granted_by", "note", "created_at", "expires_at", "revoked_at", "related"),
    )

    def has_change_permission(self, request: HttpRequest, obj: AccessGrant | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: AccessGrant | None = None) -> Any:
        if obj is not None:
            return ((None, {"fields": self._shown}),)
        limits = (
            "allowed_scopes",
            "readonly",
            "allowed_methods",
            "allowed_paths",
            "allows_vend",
            "needs_approval",
            "expires_at",
        )
        return (
            (None, {"fields": ("tenant", "subject_kind", "subject", "connection", "provider")}),
            ("Within which limits", {"fields": limits}),
            (None, {"fields": ("note",)}),
        )

    def get_form(
        self, request: HttpRequest, obj: AccessGrant | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[AccessGrant]]:
        return with_request(super().get_form(request, obj, change, **kwargs), request)

    def get_readonly_fields(self, request: HttpRequest, obj: AccessGrant | None = None) -> tuple[str, ...]:
        return () if obj is None else self._shown

    def save_model(self, request: HttpRequest, obj: AccessGrant, form: Any, change: bool) -> None:
        now = database_now()
        given, _ = give(form.terms(), tenant=form.cleaned_data["tenant"], now=now, actor=operator_behind(request))
        obj.pk = given.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: no other rows are saved with a grant."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessGrant]:
        return super().get_queryset(request).defer("connection__params", "connection__metadata", "connection__evidence")

    @admin.display(description="Who", ordering="subject")
    def who(self, row: AccessGrant) -> SafeString:
        name: SafeString | str = row.subject
        if row.subject_kind == SubjectKind.API_CLIENT:
            name = show.id_link(ApiClient, row.subject)
        return show.two_lines(name, SubjectKind(row.subject_kind).label)

    @admin.display(description="On", ordering="provider")
    def on(self, row: AccessGrant) -> SafeString | str:
        if row.connection is not None:
            return show.link(row.connection)
        return show.join([show.code(row.provider), "every connection"])

    @admin.display(description="Limits")
    def shown_limits(self, row: AccessGrant) -> SafeString | str:
        named = {"scopes": row.scopes, "methods": row.methods, "paths": row.paths}
        limits = [f"{name}: {', '.join(items) or 'none'}" for name, items in named.items() if items is not None]
        vend = [show.chip("May hold the credential", "warn")] if row.allows_vend else []
        return show.join([*limits, *vend], " · ") if limits or vend else "None"

    @admin.display(description="State", ordering="revoked_at")
    def state(self, row: AccessGrant) -> SafeString:
        state = row.state(now=read_at(row))
        return show.chip(state.capitalize(), {"standing": "good", "expired": "warn"}.get(state, "bad"))

    @admin.display(description="Tenant", ordering="tenant__slug")
    def shown_tenant(self, row: AccessGrant) -> SafeString | str:
        return show.link(row.tenant)

    @admin.display(description="Scopes")
    def shown_scopes(self, row: AccessGrant) -> SafeString | str:
        return _limit(row.scopes)

    @admin.display(description="Methods")
    def shown_methods(self, row: AccessGrant) -> SafeString | str:
        return _limit(row.methods)

    @admin.display(description="Paths")
    def shown_paths(self, row: AccessGrant) -> SafeString | str:
        return _limit(row.paths)

    expires = columns.moment("expires_at", "Until")
    given = columns.moment("created_at", "Given")

    @admin.display(description="See also")
    def related(self, row: AccessGrant) -> SafeString:
        links = [show.list_link("Audit trail", AuditEvent, grant=row.id)]
        if row.connection_id is not None:
            links.append(show.list_link("The connection's grants", AccessGrant, connection=row.connection_id))
        else:
            links.append(show.list_link("The provider's connections", Connection, provider=row.provider))
        return show.join(links, " · ")


def _limit(items: list[str] | None) -> SafeString | str:
    if items is None:
        return "No limit"
    return show.codes(items) if items else "None at all"
