"""The pages on which an operator rotates the client secret of a provider app, and says when the earlier ones end.

And the one that says from where it is read instead, by itself.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from connections.admin.base import operator_behind
from connections.admin.buttons import answer_by_form
from connections.admin.fields import MomentField
from connections.database.clock import database_now
from connections.lifecycle.provision.client_secrets import (
    LONGEST_OVERLAP,
    add_client_secret,
    set_end_of_others,
    set_expiry,
)
from connections.lifecycle.provision.provider_apps import DEFAULT_OVERLAP
from connections.lifecycle.provision.secret_sources import leave_source, look, set_source
from connections.lifecycle.steer.on_demand import Told
from connections.models import ProviderApp
from providers.custodians.custody import current_custody


class EndForm(forms.Form):
    """When the client secrets beside the preferred one are destroyed, and when that one expires at the provider."""

    others_end_at = MomentField(
        label="The earlier secrets end (UTC)",
        help_text="Until then they are tried where the provider refuses the new one; then they are destroyed. Empty: "
        f"they stay until they are replaced. Within {LONGEST_OVERLAP.days} days.",
    )

    expires_at = MomentField(
        label="The provider lets the preferred one expire (UTC)",
        help_text="As the provider's console says: the forecast tells of it in time. Empty: it does not expire.",
    )


class RotateForm(EndForm):
    """The new secret, and how long the earlier ones go on. What is typed is not shown again."""

    client_secret = forms.CharField(
        label="New client secret",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vLargeTextField"}),
        help_text="As the provider has just given it out. It is preferred from now on.",
    )
    field_order = ("client_secret", "expires_at", "others_end_at")


class SourceForm(forms.Form):
    """From where the client secret is read."""

    client_secret_from = forms.CharField(
        label="Where the client secret is kept",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = ", ".join(current_custody().secret_places) or "nothing yet (LATCHKEY_SECRET_SOURCES)"
        self.fields["client_secret_from"].help_text = (
            "Like file:/run/secrets/hubspot, vault:secret/data/hubspot#client_secret, aws-secrets-manager:NAME#KEY, "
            "google-secret-manager:projects/P/secrets/NAME or azure-key-vault:https://NAME.vault.azure.net/secrets/KEY."
            " It is read at once and whenever it changes; the secrets before it are tried for a week. Empty: from "
            f"nowhere any more, and the one read last stays. The settings allow {places}."
        )


def refer(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or have the client secret of ``app`` read from where it says. HTTP."""

    def done(form: SourceForm) -> str:
        reference = form.cleaned_data["client_secret_from"]
        actor = operator_behind(request)
        if not reference:
            is_left = leave_source(app, actor=actor)
            return "It is read from nowhere any more; the one read last is in use." if is_left else "It is so already."
        set_source(app, reference, actor=actor)
        return f"The secret is {told_of_source(app, in_full=False)}."

    initial = {"client_secret_from": app.secret_source}
    form = SourceForm(request.POST or None, initial=initial)
    return answer_by_form(request, app, form, done, title="Read the secret from elsewhere")


def read_now(request: HttpRequest, app: ProviderApp) -> Told:
    """Read the client secret of ``app`` from its source, unless somebody is doing so. HTTP."""
    if not look(app.id, actor=operator_behind(request)):
        return Told(False, "busy", "It is being read at this moment: look again in some seconds.")
    app.refresh_from_db()
    return Told(app.secret_failing_since is None, "read", f"The secret is {told_of_source(app, in_full=False)}.")


def told_of_source(app: ProviderApp, *, in_full: bool) -> str:
    """Return from where the client secret of ``app`` is read, and why it cannot be, as part of a sentence. No I/O.

    ``in_full``: with the place and the reason, which are no business of those who see some tenants only.
    """
    where = app.secret_source if in_full else "where the operator keeps it"
    if app.secret_failing_since is None:
        return f"read from {where}, last on {app.secret_read_at:%Y-%m-%d %H:%M} UTC"
    why = f" ({app.secret_problem.rstrip('.')})" if in_full else ""
    return (
        f"read from {where}, but since {app.secret_failing_since:%Y-%m-%d %H:%M} UTC it cannot be{why}: the one read "
        "last is in use"
    )


def rotate(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or have ``app`` prefer a new client secret."""
    now = database_now()

    def done(form: RotateForm) -> str:
        ends = form.cleaned_data["others_end_at"]
        secret = form.cleaned_data["client_secret"]
        actor = operator_behind(request)
        expires = form.cleaned_data["expires_at"]
        if not add_client_secret(
            app, secret, preferred=True, others_end_at=ends, expires_at=expires, now=now, actor=actor
        ):
            return "The app prefers this secret already: nothing was changed."
        return f"The new secret is in use; {told_of_end(app)}."

    initial = {"others_end_at": now + DEFAULT_OVERLAP}
    return answer_by_form(request, app, RotateForm(request.POST or None, initial=initial), done, title="Rotate secret")


def end_earlier(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or say when the earlier client secrets of ``app`` end."""
    now = database_now()

    def done(form: EndForm) -> str:
        actor = operator_behind(request)
        set_end_of_others(app, form.cleaned_data["others_end_at"], now=now, actor=actor)
        set_expiry(app, form.cleaned_data["expires_at"], now=now, actor=actor)
        return f"Set: {told_of_end(app)}."

    initial = {"others_end_at": app.other_secrets_end_at, "expires_at": app.secret_expires_at}
    title = "Set when secrets end"
    return answer_by_form(request, app, EndForm(request.POST or None, initial=initial), done, title=title)


def told_of_secrets(app: ProviderApp, *, in_full: bool) -> str:
    """Return how the client secrets of ``app``, which has some, are known and when they end. No I/O."""
    told = ["set"]
    if app.secret_source:
        told.append(told_of_source(app, in_full=in_full))
    if app.other_secrets_end_at is not None or app.secret_expires_at is not None:
        told.append(told_of_end(app))
    return "; ".join(told)


def told_of_end(app: ProviderApp) -> str:
    """Return when the earlier client secrets of ``app`` end, as part of a sentence. No I/O."""
    ends, expires = app.other_secrets_end_at, app.secret_expires_at
    said = "" if expires is None else f"it expires at the provider on {expires:%Y-%m-%d %H:%M} UTC; "
    if ends is None:
        return f"{said}earlier ones stay until they are replaced"
    return f"{said}earlier ones are tried beside it until {ends:%Y-%m-%d %H:%M} UTC, and then destroyed"
