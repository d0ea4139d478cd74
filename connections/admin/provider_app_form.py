"""The form of a provider app: its fields follow the catalogue entry, and its secrets are written, never shown.

``provision.provider_apps`` decides whether a registration is valid. That check may fetch the issuer's metadata, so the
form must not be used inside a transaction.
"""

from typing import Any

from django import forms
from django.http import HttpRequest

from connections.admin.fields import LinesField, SecretLinesField
from connections.admin.proof import prove
from connections.lifecycle.provision.provider_apps import PreparedApp, Registration, prepare_provider_app
from connections.models import ProviderApp
from connections.refusals import InvalidRequest
from providers.catalog.schema import CatalogEntry
from providers.vocabulary import ParamScope

PARAM = "param_"
_REPLACES = "They are set. Type to replace all of them, one a line, the preferred first; leave it empty to keep them."

_READ = "One is read from where you keep it. Type to have these in its place, one a line; leave it empty to keep it so."


class ProviderAppForm(forms.ModelForm[ProviderApp]):
    """Our registration at one provider. Subclasses made by ``form_for`` add the entry's parameters."""

    entry: CatalogEntry
    auth_style: str
    has_secrets = False
    request: HttpRequest

    client_id = forms.CharField(
        required=False,
        max_length=500,
        label="Client ID",
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
        help_text="Leave it empty where the authorization server registers clients by itself; elsewhere that makes a "
        "draft: providers ask for the redirect URI before they give out a client ID.",
    )
    client_secrets = SecretLinesField(
        label="Client secrets",
        help_text="One a line, the preferred first; the others are tried while the provider still knows them.",
    )
    remove_secrets = forms.BooleanField(required=False, help_text="For a public client, which has none.")
    scopes = LinesField()
    required_scopes = LinesField()
    limits_scopes = forms.BooleanField(
        required=False,
        label="Limit what sessions may ask for",
        help_text="To the scopes below, and no others; without it a connect session may name any.",
    )
    allowed_scopes = LinesField()

    class Meta:
        model = ProviderApp
        fields = ("tenant", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: PreparedApp | None = None
        self._goes_to = None if self.instance._state.adding else dict(self.instance.params)
        self.fields["name"].required = False
        self.fields["name"].help_text = f"For operators; empty for {self.entry.name!r}."
        self.fields["scopes"].help_text = _scopes_help(self.entry)
        self.fields["scopes"].label = "Scopes to ask for"
        self.fields[
            "required_scopes"
        ].help_text = "One a line. They are always asked for, and a connection without one of them vends nothing."
        self.fields["allowed_scopes"].help_text = "One a line. They count where the box above is ticked."
        if self.has_secrets:
            self.fields["client_secrets"].help_text = _READ if self.instance.secret_source else _REPLACES
            self.fields["client_secrets"].widget.attrs["placeholder"] = "set"
        if "tenant" in self.fields:
            self.fields["tenant"].help_text = "Leave it empty for an app that all tenants share."
        if not self.instance._state.adding:
            columns = ("client_id", "scopes", "required_scopes", "allowed_scopes", "allows_legacy")
            known = {name: getattr(self.instance, name) for name in columns}
            known["limits_scopes"] = self.instance.allowed_scopes is not None
            self.initial.update(known, **{PARAM + name: value for name, value in self.instance.params.items()})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if self._is_dangerous(cleaned):
            prove(self.request)
        tenant = self.instance.tenant if "tenant" not in self.fields else cleaned.get("tenant")
        try:
            self.prepared = prepare_provider_app(self._registration(cleaned), tenant=tenant)
        except InvalidRequest as refusal:
            name = str(refusal.extra.get("field", "")).removeprefix("params.")
            field = next((known for known in (name, PARAM + name) if known in self.fields), None)
            self.add_error(field, refusal.detail)
            return cleaned
        if self.instance._state.adding and not self.prepared.is_new:
            owner = f"{tenant.slug} has" if tenant else "All tenants share"
            self.add_error(None, f"{owner} an app of this kind already: change that one instead of adding another.")
        return cleaned

    def _is_dangerous(self, cleaned: dict[str, Any]) -> bool:
        """Whether it changes where secrets go, or by which client id and secrets the provider knows us.

        A new app does: that of a tenant takes the place of the one that all share.
        """
        if self.instance._state.adding:
            return True
        told = self._registration(cleaned)
        replaces = self.has_secrets and told.client_secrets is not None
        return replaces or told.params != self._goes_to or told.client_id != self.initial["client_id"]

    def _registration(self, cleaned: dict[str, Any]) -> Registration:
        typed = cleaned["client_secrets"]
        keeps = self.has_secrets and not typed and not cleaned.get("remove_secrets")
        return Registration(
            provider=self.entry.slug,
            auth_style=self.auth_style,
            name=cleaned.get("name") or "",
            client_id=cleaned.get("client_id") or "",
            client_secrets=None if keeps else typed,
            params={name.removeprefix(PARAM): value for name, value in cleaned.items() if name.startswith(PARAM)},
            scopes=cleaned["scopes"],
            required_scopes=cleaned["required_scopes"],
            allowed_scopes=cleaned["allowed_scopes"] if cleaned["limits_scopes"] else None,
            allows_legacy=bool(cleaned.get("allows_legacy")),
        )


def form_for(request: HttpRequest, entry: CatalogEntry, style: str, *, has_secrets: bool) -> type[ProviderAppForm]:
    """Return the form for apps of ``entry`` that connect by ``style``."""
    members: dict[str, Any] = {"entry": entry, "auth_style": style, "has_secrets": has_secrets, "request": request}
    if entry.methods[style].is_legacy:
        members["allows_legacy"] = forms.BooleanField(
            required=False, label="Allow this style", help_text="It is legacy, and off until you allow it for this app."
        )
    for param in entry.params_of(ParamScope.APP):
        members[PARAM + param.name] = forms.CharField(
            label=param.label,
            required=not param.default,
            initial=param.default,
            help_text=param.help or (f"Like {param.example}" if param.example else ""),
            widget=forms.TextInput(attrs={"class": "vLargeTextField", "placeholder": param.example}),
        )
    return type("ProviderAppFormOfEntry", (ProviderAppForm,), members)


def param_fields(entry: CatalogEntry) -> tuple[str, ...]:
    """Return the names of the form's fields for the entry's parameters."""
    return tuple(PARAM + param.name for param in entry.params_of(ParamScope.APP))


def _scopes_help(entry: CatalogEntry) -> str:
    if not entry.scopes:
        return "One a line."
    defaults = ", ".join(entry.default_scopes) or "none"
    known = ", ".join(scope.name for scope in entry.scopes)
    return f"One a line. Empty for the entry's defaults ({defaults}). The entry knows: {known}."
