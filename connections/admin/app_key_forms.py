"""The pages on which an operator makes or brings a key pair, or puts certificates beside one."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from connections.admin.base import operator_behind
from connections.admin.buttons import answer_by_form
from connections.admin.fields import SecretLines
from connections.lifecycle.provision.app_keys import (
    DEFAULT_LEAD,
    DEFAULT_OVERLAP,
    KEY_PAIRS,
    Rotation,
    bring_key,
    certify_key,
    make_key,
)
from connections.lifecycle.steer.on_demand import Told
from connections.models import AppKey, ProviderApp
from providers.vocabulary import SigningAlgorithm

_HOUR = timedelta(hours=1)
_LONGEST_HOURS = 24 * 365


def _pem_field(label: str, help_text: str) -> forms.CharField:
    lines = {"rows": 6, "class": "vLargeTextField lines", "spellcheck": "false"}
    return forms.CharField(label=label, required=False, help_text=help_text, widget=forms.Textarea(attrs=lines))


class MakeKeyForm(forms.Form):
    """What kind of key pair, what the provider calls it, and when it takes over from an earlier one."""

    algorithm = forms.TypedChoiceField(
        coerce=SigningAlgorithm,
        choices=[(one.value, one.value) for one in KEY_PAIRS],
        help_text="RS256 is what nearly every provider takes.",
    )
    kid = forms.CharField(
        label="Key ID", required=False, max_length=200, help_text="What the provider calls it; empty: its thumbprint."
    )
    lead_hours = forms.FloatField(
        label="Signs after (hours)",
        initial=DEFAULT_LEAD / _HOUR,
        min_value=0,
        max_value=_LONGEST_HOURS,
        help_text="If another key signs now: time for the provider to learn of this one.",
    )
    overlap_hours = forms.FloatField(
        label="Earlier keys stay published (hours)",
        initial=DEFAULT_OVERLAP / _HOUR,
        min_value=0,
        max_value=_LONGEST_HOURS,
        help_text="Counted from when this key takes over.",
    )

    @property
    def terms(self) -> dict[str, Any]:
        """The arguments that both ways to get a key take."""
        cleaned = self.cleaned_data
        rotation = Rotation(lead=cleaned["lead_hours"] * _HOUR, overlap=cleaned["overlap_hours"] * _HOUR)
        return {"algorithm": cleaned["algorithm"], "kid": cleaned["kid"], "rotation": rotation}


class BringKeyForm(MakeKeyForm):
    """A key pair that was made elsewhere. What is typed is not shown again, not even with an error."""

    private_key = forms.CharField(
        label="Private key", widget=SecretLines(), strip=False, help_text="As PEM: -----BEGIN PRIVATE KEY-----"
    )
    passphrase = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="If it has one.",
    )
    certificates = _pem_field("Certificates", "As PEM, the key's own first; only if the provider wants them.")
    field_order = ("private_key", "passphrase", "algorithm", "kid", "certificates")


class CertifyForm(forms.Form):
    """Certificates for a key."""

    certificates = _pem_field("Certificates", "As PEM, the key's own first, then those that issued it.")


def make(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or make a key pair for ``app``."""

    def done(form: MakeKeyForm) -> str:
        row = make_key(app, actor=operator_behind(request), **form.terms)
        return f"Made and published: {row.kid}. Its public half is among the keys."

    return answer_by_form(request, app, MakeKeyForm(request.POST or None), done, title="Make a key")


def bring(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or take over a key pair for ``app``."""

    def done(form: BringKeyForm) -> str:
        row = bring_key(
            app,
            form.cleaned_data["private_key"],
            passphrase=form.cleaned_data["passphrase"],
            certificates=form.cleaned_data["certificates"],
            actor=operator_behind(request),
            **form.terms,
        )
        return f"Taken over and published: {row.kid}."

    return answer_by_form(request, app, BringKeyForm(request.POST or None), done, title="Bring a key")


def certify(request: HttpRequest, row: AppKey) -> HttpResponse | Told:
    """Answer with the form, or put certificates beside a key."""

    def done(form: CertifyForm) -> str:
        certify_key(row, form.cleaned_data["certificates"], actor=operator_behind(request))
        return "The certificates are beside the key."

    return answer_by_form(request, row, CertifyForm(request.POST or None), done, title="Put certificates")
