"""Members of staff for tests, and what they type."""

import re

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.contrib.auth.models import User
from django.test import Client

from connections.admin.people.factors import opened
from tests.connections.admin.conftest import PASSWORD

LOGIN, CODE, ACCOUNT, INDEX = "/admin/login/", "/admin/account/authenticate/", "/admin/account/", "/admin/"
ACTIVATE = "/admin/account/totp/activate/"


def make_operator(name: str = "olga") -> User:
    return User.objects.create_superuser(name, password=PASSWORD)


def type_password(browser: Client, name: str = "olga", password: str = PASSWORD, **more: str) -> object:
    address = {"REMOTE_ADDR": more.pop("address")} if "address" in more else {}
    return browser.post(LOGIN, {"username": name, "password": password, **more}, **address)


def code_of(secret: str, *, steps: int = 0) -> str:
    """Return the code of the half minute that is ``steps`` from now."""
    return auth.format_hotp_value(auth.hotp_value(secret, int(auth.time.time()) // 30 + steps))


def enrol(browser: Client) -> tuple[str, list[str]]:
    """Set up an authenticator app, and return its key and the recovery codes."""
    page = browser.get(ACTIVATE).content.decode()
    secret = re.search(r'class="copy-text">([A-Z2-7]+)<', page)
    assert secret, page
    answer = browser.post(ACTIVATE, {"code": code_of(secret[1], steps=-1)}, follow=True)
    return secret[1], re.findall(r"^(\d{8})$", answer.content.decode().replace(">", "\n"), re.MULTILINE)


def stored_seed(user: User) -> str:
    return opened(Authenticator.objects.get(user=user, type="totp").data["secret"])
