"""The page on which an operator enters the secret by which what a provider pushes is known."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.admin import show
from connections.admin.base import operator_behind
from connections.lifecycle.provision.push_secrets import add_push_secret, push_fingerprints, retire_push_secret
from connections.lifecycle.pushes.receive import rules_of
from connections.lifecycle.steer.on_demand import Told
from connections.models import ProviderApp
from connections.refusals import InvalidRequest


class PushSecretForm(forms.Form):
    """A secret, as the provider shows it. What is typed is not shown again, not even with an error."""

    secret = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vLargeTextField"}),
        help_text="The one before it stays known until you retire it, so that a rotation loses no push.",
    )


def takes_push_secret(app: ProviderApp) -> bool:
    """Whether pushes to the app are known by a secret of their own."""
    rules = rules_of(app)
    return rules is not None and rules.key == "push_secret"


def enter(request: HttpRequest, app: ProviderApp) -> HttpResponse | Told:
    """Answer with the form, or have pushes be known by the secret that was typed."""
    form = PushSecretForm(request.POST or None)
    rules = rules_of(app)
    if rules is not None:
        form.fields["secret"].label = rules.secret_label
    if request.method == "POST" and form.is_valid():
        try:
            add_push_secret(app, form.cleaned_data["secret"], actor=operator_behind(request))
            return Told(True, "done", "Pushes are known by it from now on.")
        except InvalidRequest as refusal:
            form.add_error("secret", refusal.detail)
    context = {
        **admin.site.each_context(request),
        "title": "Enter the push secret",
        "opts": app._meta,
        "row": app,
        "form": form,
        "back_url": show.page_url(app),
    }
    response = TemplateResponse(request, "admin/connections/form.html", context)
    response["Cache-Control"] = "no-store"
    return response


def retire(request: HttpRequest, app: ProviderApp) -> Told:
    """Forget the earlier push secret."""
    earlier = push_fingerprints(app)[1:]
    for named in earlier:
        retire_push_secret(app, named, actor=operator_behind(request))
    told = "Pushes are known by the newest secret alone." if earlier else "There is no earlier one."
    return Told(bool(earlier), "retired", told)
