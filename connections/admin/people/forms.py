"""What people type to prove who they are: password, code, and what their passkeys say."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login, record_authentication
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django import forms
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from connections.admin.logins import record_held_back, record_wrong_code
from connections.admin.people.factors import opened, sealed, take_code
from connections.admin.people.guesses import (
    AT_ACCOUNT,
    AT_ACCOUNT_FROM_ADDRESS,
    BY_OWNER,
    CODES,
    CODES_AS_PROOF,
    CODES_AT_ACCOUNT,
    FROM_ADDRESS,
    Allowance,
    may_guess,
    network_of,
    was_right,
)
from connections.admin.people.known import is_known
from connections.entrance import client_address

_WRONG = "This is not the user name and password of an account that may log in."
_WAIT = "Too many wrong passwords from here. Wait a minute and try again, or use a passkey."
_TOGETHER = (
    "Somebody is guessing this account's password. To log in from a browser that it is not known at, type the code of "
    "your authenticator app as well, or use a passkey."
)
_WAIT_WITH_CODES = "Too many wrong codes: wait a minute and try again, or use a passkey."
_CODES_GUESSED = (
    "Somebody who knows this account's password is guessing its codes. Log in from a browser that it is known at, or "
    "with a passkey, and change the password."
)


def _code_field(**options: Any) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
    return forms.CharField(label="Code", max_length=32, widget=forms.TextInput(attrs=attrs), **options)


class LoginForm(forms.Form):
    """The first step: user name and password. ``guesses`` says when no password is looked at."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username webauthn", "autocapitalize": "off", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = _code_field(required=False)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.asks_for_code = False
        self._factor: Authenticator | None = None
        self.user: Any = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        name, address = cleaned["username"].strip(), client_address(self.request)
        account = get_user_model()._default_manager.filter(username=name).first()
        counted = self._count(name, account, address)
        user = authenticate(self.request, username=name, password=cleaned["password"])
        if user is None or not getattr(user, "is_staff", False) or not self._has_code(user, cleaned["code"]):
            raise ValidationError(_WRONG, code="invalid_login")
        for allowance, of in counted:
            was_right(allowance, *of)
        self.user = user
        return cleaned

    def _count(self, name: str, account: AbstractBaseUser | None, address: str | None) -> list[Any]:
        """Count the guess, and return what is taken back should it be right. Raises ``ValidationError``.

        A name that nobody has is counted as if somebody had it: so nobody learns which ones there are.
        """
        network = network_of(address)
        known = "" if account is None else is_known(self.request, account, address=address)
        if known:
            of = (name, known, "" if known == "browser" else network)
            self._hold_back(may_guess(BY_OWNER, *of), name, account)
            return [(BY_OWNER, of)]
        self._hold_back(may_guess(FROM_ADDRESS, network), name, account)
        self._hold_back(may_guess(AT_ACCOUNT_FROM_ADDRESS, name, network), name, account)
        if not may_guess(AT_ACCOUNT, name):
            self.asks_for_code = True
            if not self.cleaned_data["code"]:
                record_held_back(self.request, name, is_known=account is not None)
                raise ValidationError(_TOGETHER, code="code_too")
        return [(AT_ACCOUNT_FROM_ADDRESS, (name, network))]

    def _hold_back(self, is_admitted: bool, name: str, account: AbstractBaseUser | None) -> None:
        if not is_admitted:
            record_held_back(self.request, name, is_known=account is not None)
            raise ValidationError(_WAIT, code="too_many")

    def _has_code(self, user: AbstractBaseUser, code: str) -> bool:
        """Whether the code that came with the password is right, where one has to. The two are refused together."""
        if not self.asks_for_code:
            return True
        try:
            self._factor = _taken(self.request, user, code)
        except ValidationError:
            self._factor = None
        return self._factor is not None

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Go on to the second factor, or to where ``redirect_url`` leads."""
        if self._factor is not None:
            record_authentication(request, self.user, "mfa", id=self._factor.pk, type=self._factor.type)
        credentials = {"username": self.user.get_username()}
        return perform_password_login(request, credentials, Login(user=self.user, redirect_url=redirect_url))


def _counted_as(request: HttpRequest, user: Any, *, is_proof: bool) -> list[tuple[Allowance, tuple[object, ...]]]:
    """Return what a guess at a code counts as: what ``user``'s own browser or address has is not a stranger's."""
    if is_proof:
        return [(CODES_AS_PROOF, (user.pk, request.session.session_key))]
    address = client_address(request)
    known = is_known(request, user, address=address)
    here = (CODES, (user.pk, "browser" if known == "browser" else network_of(address)))
    return [here] if known else [here, (CODES_AT_ACCOUNT, (user.pk,))]


def _taken(request: HttpRequest, user: Any, code: str, *, is_proof: bool = False) -> Authenticator | None:
    """Return the factor that ``code`` is of, and spend it. None for a wrong one, which is counted and audited.

    Raises ``ValidationError`` where none is looked at for a while. Queries; writes.
    """
    counted = _counted_as(request, user, is_proof=is_proof)
    for allowance, of in counted:
        if not may_guess(allowance, *of):
            words = _CODES_GUESSED if allowance is CODES_AT_ACCOUNT else _WAIT_WITH_CODES
            raise ValidationError(words, code="too_many")
    factor = take_code(user, code)
    if factor is None:
        record_wrong_code(request, user, is_proof=is_proof)
        return None
    here, of = counted[0]
    was_right(here, *of)
    return factor


class _Coded(forms.Form):
    """Takes a code, which is good once."""

    user: Any
    authenticator: Authenticator
    is_proof = False

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        factor = _taken(context.request, self.user, code, is_proof=self.is_proof)
        if factor is None:
            raise ValidationError("This code is not right, or was used already.", code="incorrect_code")
        factor.user = self.user
        self.authenticator = factor
        return code


class CodeForm(_Coded, AuthenticateForm):
    """The second step of a login."""

    code = _code_field()


class CodeAgainForm(_Coded, ReauthenticateForm):
    """The same, to prove oneself again."""

    code = _code_field()
    is_proof = True


class ActivationForm(ActivateTOTPForm):
    """The first code of a new app. Until then its seed is in the login session, sealed as it will be in the table."""

    code = _code_field()

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        forms.Form.__init__(self, *args, **kwargs)
        self.user = user
        session = context.request.session
        kept = session.get(SECRET_SESSION_KEY) if self.is_bound else None
        self.secret = opened(kept) if kept else generate_totp_secret()
        if not kept:
            session[SECRET_SESSION_KEY] = sealed(self.secret)
