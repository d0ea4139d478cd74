"""The page that makes the first operator, while there is none: ``provision.staff`` says for whom."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from connections.admin.people.guesses import FROM_ADDRESS, may_guess, network_of, was_right
from connections.entrance import client_address
from connections.lifecycle.provision.staff import is_token, make_first_operator, there_are_operators


class FirstOperatorForm(forms.Form):
    """The token, and what the first operator is called."""

    token = forms.CharField(
        max_length=200,
        help_text="As “manage.py operators first” prints it, on the machine. It is good for an hour.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}),
    )
    username = forms.CharField(
        label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False,
        max_length=4096,
        help_text="At least 12 characters, and no usual password.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_token(self) -> str:
        if not is_token(self.cleaned_data["token"]):
            raise ValidationError("This token is not good, or not any more: have a new one printed.")
        return ""

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        User.username_validator(name)
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


@never_cache
@sensitive_post_parameters("token", "password")
@require_http_methods(["GET", "POST"])
def first_operator(request: HttpRequest) -> HttpResponse:
    """Ask for the token and make the operator. Raises ``Http404`` where there is one."""
    if there_are_operators():
        raise Http404
    form = FirstOperatorForm(request.POST or None)
    if request.method == "POST":
        network = network_of(client_address(request))
        if not may_guess(FROM_ADDRESS, network):
            form.add_error(None, "Too many wrong tokens from here: wait a minute.")
        elif form.is_valid():
            was_right(FROM_ADDRESS, network)
            chosen = form.cleaned_data
            if not make_first_operator(chosen["username"], chosen["password"], address=client_address(request)):
                raise Http404  # somebody else with a token was faster
            messages.success(request, "The first operator is made. Log in.")
            return HttpResponseRedirect(reverse("account_login"))
    return render(request, "account/first.html", {"form": form, "title": "The first operator"})
