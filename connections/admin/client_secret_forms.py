"""The pages on which an operator rotates the client secret of a provider app, and says when the earlier ones end."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from connections.admin.base import operator_behind
from connections.admin.buttons import answer_by_form
from connections.database.clock import database_now, in_utc
from connections.lifecycle.provision.client_secrets import (
    DEFAULT_OVERLAP,
    LONGEST_OVERLAP,
    add_client_secret,
    set_end_of_others,
    set_expiry,
)
from connections.lifecycle.steer.on_demand import Told
from connections.models import ProviderApp

_MINUTE = "%Y-%m-%dT%H:%M"


class EndForm(forms.Form):
    """When the client secrets beside the preferred one are destroyed, and when that one expires at the provider."""

    others_end_at = forms.DateTimeField(
        label="The earlier secrets end (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MINUTE),
        help_text="Until then they are tried where the provider refuses the new one; then they are destroyed. Empty: "
        f"they stay until they are replaced. Within {LONGEST_OVERLAP.days} days.",
    )

    expires_at = forms.DateTimeField(
        label="The provider lets the preferred one expire (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MINUTE),
        help_text="As the provider's console says: the forecast tells of it in time. Empty: it does not expire.",
    )

    def clean_others_end_at(self) -> Any:
        """Return the moment in UTC, None for none."""
        return self._moment("others_end_at")

    def clean_expires_at(self) -> Any:
        """Return the moment in UTC, None for none."""
        return self._moment("expires_at")

    def _moment(self, name: str) -> Any:
        typed = self.cleaned_data[name]
        try:
            return None if typed is None else in_utc(typed)
        except ValueError as fault:
            raise forms.ValidationError(str(fault)) from None


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


def told_of_end(app: ProviderApp) -> str:
    """Return when the earlier client secrets of ``app`` end, as part of a sentence. No I/O."""
    ends, expires = app.other_secrets_end_at, app.secret_expires_at
    said = "" if expires is None else f"it expires at the provider on {expires:%Y-%m-%d %H:%M} UTC; "
    if ends is None:
        return f"{said}earlier ones stay until they are replaced"
    return f"{said}earlier ones are tried beside it until {ends:%Y-%m-%d %H:%M} UTC, and then destroyed"
