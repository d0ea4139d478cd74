"""Pictures of every page of the admin, with the showcase behind it: each list, the page of a row, and what asks first.

No worker runs beside it, so nothing made up is sent anywhere. The console's complaints are printed, violations of the
policy among them, and so are barriers that axe finds and pages that are wider than a phone.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, ViewportSize

from config.local.demo.stack import LocalStack
from tests.browser.looking import barriers, excess, faint, know_axe

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Beside the list and the first row's page of every model.
_FURTHER = {
    "index": "",
    "connections-unwell": "connections/connection/?status__exact=needs_reauth",
    "connections-none": "connections/connection/?q=nobody-at-all",
    "sessions-failed": "connections/connectsession/?state__exact=failed",
    "catalogue": "providers/",
    "catalogue-entry": "providers/entry/hubspot/",
    "tenant-add": "connections/tenant/add/",
    "app-add": "connections/providerapp/add/?provider=hubspot",
    "client-add": "connections/apiclient/add/",
    "grant-add": "connections/accessgrant/add/",
    "endpoint-add": "connections/webhookendpoint/add/",
    "forecast": "forecast/",
    "forecast-overdue": "forecast/?overdue=1",
    "search": "search/?q=north",
    "account": "account/",
    "proof": "account/prove/",
    "app-code-add": "account/totp/activate/",
    "passkey-add": "account/webauthn/add/",
    "password": "password_change/",
    "user-add": "auth/user/add/",
    "domain-add": "connections/tenantdomain/add/",
    "incidents-closed": "connections/incident/?state=closed",
    "canary-lay": "connections/watchsetting/canary_used/press/lay/",
    "canary-rule": "connections/watchsetting/canary_used/change/",
    "canaries": "connections/connection/?health=canary",
    "findings-settled": "connections/finding/?state=settled",
    "pushes-refused": "connections/receivedpush/?state__exact=refused",
}
_PROOF = "/admin/account/prove/"
# By model: buttons that have a page of their own.
_PRESSED = {
    "tenant": ("delete", "suspend"),
    "connection": ("disconnect", "suspend"),
    "watchsetting": ("change",),
    "webhookendpoint": ("change", "rotate", "replay"),
    "apiclient": ("issue-key", "rotate-keys"),
    "providerapp": ("try", "preview", "rotate-secret", "end-secrets", "make-key", "bring-key", "push-secret"),
    "finding": ("settle",),
    "user": ("limit", "reset"),
}


@contextmanager
def showcase_stack(state: Path) -> Iterator[LocalStack]:
    """Run a stack without a worker, with the showcase beside the demo's data."""
    with LocalStack(state_dir=state, durable=False, processes=("web", "sandbox")) as stack:
        host = urlsplit(stack.urls["web"]).netloc
        stack.run("showcase", "manage.py", "seed_showcase", "--into", host, "--unpaused")
        yield stack
    stack.destroy()


def pages_of_admin(page: Page, admin: str) -> Iterator[tuple[str, str]]:
    """Yield a name and the address of each page, as the operator who is logged in; goes to each list on the way."""
    yield from ((name, f"{admin}{path}") for name, path in _FURTHER.items())
    page.goto(admin)
    lists = page.locator(".menu th a").evaluate_all("links => links.map(link => link.href)")
    for url in lists:
        named = re.search(r"/admin/(connections|auth)/(\w+)/$", url)
        if named is None:
            continue
        model = named[2]
        yield f"{model}-list", url
        page.goto(url)
        row = page.locator("#result_list tbody tr th a, #result_list tbody tr td a").first
        if not row.count():
            continue
        address = row.evaluate("link => link.href").partition("?")[0]
        yield f"{model}-page", address
        base = address.removesuffix("change/")
        yield from ((f"{model}-{verb}", f"{base}press/{verb}/") for verb in _PRESSED.get(model, ()))


def arrive(page: Page, url: str, *, password: str) -> None:
    """Go to a page. Where it asks first who it is, because the last proof has lapsed, say so."""
    page.goto(url)
    if urlsplit(page.url).path == _PROOF != urlsplit(url).path:
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(url)


def _complain(name: str, said: ConsoleMessage) -> None:
    if said.type == "error":
        print(f"{name}: the console complains: {said.text}")


def _fail(name: str, error: Error) -> None:
    print(f"{name}: a script has failed: {error}")


def pictures_of_admin(
    context: BrowserContext, page: Page, stack: LocalStack, folder: Path, sizes: dict[str, ViewportSize], only: str
) -> None:
    """Take the pictures at each of ``sizes``, in light and in dark, of the pages whose name matches ``only``."""
    know_axe(context)
    admin, password = f"{stack.urls['web']}/admin/", stack.seeded["operator"]["password"]
    for name, url in pages_of_admin(page, admin):
        if re.search(only, name):
            shown = context.new_page()
            shown.on("console", partial(_complain, name))
            shown.on("pageerror", partial(_fail, name))
            arrive(shown, url, password=password)
            _look_at(shown, name, folder, sizes)
            shown.close()
    if context.browser is not None and re.search(only, "login"):
        stranger = context.browser.new_context()
        know_axe(stranger)
        shown = stranger.new_page()
        shown.on("console", partial(_complain, "login"))
        shown.on("pageerror", partial(_fail, "login"))
        shown.goto(admin)
        _look_at(shown, "login", folder, sizes)
        stranger.close()


def _look_at(shown: Page, name: str, folder: Path, sizes: dict[str, ViewportSize]) -> None:
    for barrier in barriers(shown):
        print(f"{name}: {barrier}")
    for size, window in sizes.items():
        shown.set_viewport_size(window)
        for scheme in SCHEMES:
            shown.emulate_media(color_scheme=scheme)
            shown.screenshot(path=folder / f"admin-{name}-{size}-{scheme}.png", full_page=True, animations="disabled")
    for barrier in faint(shown):
        print(f"{name}, dark: {barrier}")
    if wide := excess(shown):
        print(f"{name}: {wide} px wider than the phone")
