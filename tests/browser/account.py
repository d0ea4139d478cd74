"""A member of staff in a browser: the first login, an authenticator app, a passkey, and proofs by it."""

import re
from collections.abc import Callable

from playwright.sync_api import CDPSession, Page, expect

from tests.connections.admin.people.staff import code_of

Look = Callable[[Page, str], None]
NAME, PASSWORD = "olga", "correct horse battery staple"
_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def give_device(page: Page) -> CDPSession:
    """Give the browser of ``page`` a device that makes passkeys, and answers for its owner."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
    return device


def make_first(page: Page, home: str, token: str, look: Look) -> None:
    """Make the first operator with the token."""
    page.goto(f"{home}/admin/login/")
    look(page, "nobody-yet")
    page.get_by_role("link", name="make the first one").click()
    look(page, "first")
    page.get_by_label("Token").fill(token)
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("The first operator is made")).to_be_visible()


def type_password(page: Page, home: str) -> None:
    page.goto(f"{home}/admin/login/")
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def set_up_app(page: Page, look: Look) -> str:
    """Get the first second factor, without which no other page opens; return the app's key."""
    expect(page.get_by_text("needs a second factor")).to_be_visible()
    look(page, "account-without")
    page.get_by_role("link", name="Set up").click()
    look(page, "app")
    secret = page.locator(".copy-text").inner_text()
    page.get_by_label("Code").fill(code_of(secret, steps=-1))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text(re.compile(r"^\d{8}$", re.MULTILINE))).to_be_visible()
    look(page, "codes")
    page.get_by_role("link", name="I have written them down").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    return secret


def add_passkey(page: Page, home: str, look: Look) -> None:
    page.goto(f"{home}/admin/account/webauthn/add/")
    look(page, "passkey")
    page.get_by_label("It also logs me in").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Passkey since")).to_be_visible()
    look(page, "account")


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()


def log_in_by_passkey(page: Page, look: Look) -> None:
    look(page, "login")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def log_in_by_both(page: Page, home: str, look: Look) -> None:
    """Log in by password, and then the passkey as the second factor."""
    type_password(page, home)
    expect(page.get_by_text("One more step")).to_be_visible()
    look(page, "second-step")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def suspend(page: Page, address: str, look: Look) -> None:
    """Throw a kill switch, for which the page asks who it is."""
    page.goto(address)
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    look(page, "prove")
    page.get_by_role("link", name="Use a passkey").click()
    look(page, "prove-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("Suspended: in force")).to_be_visible()
