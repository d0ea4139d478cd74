"""Three more auth styles on the running stack: a pasted key, a login with a password, and a code to enter.

Each is set up by the operators' command, connected in the widget, vended, and used at the sandbox as the vend says.
"""

import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from config.local.demo.customer_app.latchkey import Latchkey
from config.local.demo.stack import LocalStack
from providers.sandbox.client import SandboxControl
from providers.sandbox.waiting import until
from tests.smoke.browser import links_of
from tests.smoke.visitor import Visitor, expect, form_with

_TENANT = "acme"
_DECIDED_WITHIN_SECONDS = 20.0
_POLL_SECONDS = 1.0

Walk = Callable[[LocalStack, Visitor, str], requests.Response]


def connect_by(style: str, stack: LocalStack, api: Latchkey, visitor: Visitor) -> None:
    """Make an app of ``style``, connect by it as ``visitor``, and call the sandbox with what is vended."""
    sandbox = SandboxControl(stack.urls["sandbox"])
    client_id = f"smoke-{uuid.uuid4().hex[:8]}"
    sandbox.register_client(client_id, public=True, scopes=["profile.read"])
    said = ["--auth-style", style, "--tenant", _TENANT, "--client-id", client_id]
    said += ["--param", f"issuer={stack.urls['sandbox']}", "--json"]
    told = stack.run("apps", "manage.py", "provider_apps", "add", "sandbox", *said)
    app_id = json.loads(told)["id"]
    verifier = secrets.token_urlsafe(48)
    session_id, connect_url = api.begin(
        end_user=visitor.name,
        return_url=f"{stack.urls['customer_app']}/connected",
        code_verifier=verifier,
        provider="sandbox",
    )
    visitor.click(connect_url)
    address = f"{stack.urls['web']}/connect/{session_id}/method/{app_id}"
    returning = WALKS[style](stack, visitor, address)
    link = next((link.href for link in links_of(returning) if link.id == "return"), "")
    code = dict(parse_qsl(urlsplit(link or returning.headers.get("Location", "")).query)).get("completion_code", "")
    expect(code, f"{style}: the widget did not hand out a completion code (status {returning.status_code})")
    confirmed = api.complete(session_id, completion_code=code, end_user=visitor.name, code_verifier=verifier)
    connection = confirmed["connection"]
    expect(connection["status"] == "active", f"{style}: the connection is {connection['status']}")
    vended = api.vend(connection["id"], end_user=visitor.name, purpose="smoke")["credential"]
    me = _call_me(vended)
    expect(me.status_code == requests.codes.ok, f"{style}: the provider answers {me.status_code} to what is vended")
    expect(me.json()["sub"] == connection["account"]["id"], f"{style}: the credential is another account's")


def _type(fields: Callable[[LocalStack, Visitor], dict[str, str]]) -> Walk:
    def walk(stack: LocalStack, visitor: Visitor, address: str) -> requests.Response:
        typed = fields(stack, visitor)
        form = form_with(visitor.browser.get(address), *typed)
        return visitor.browser.submit(form, button=None, **typed)

    return walk


def _enter_code(stack: LocalStack, visitor: Visitor, address: str) -> requests.Response:
    form = form_with(visitor.browser.get(address), "form_proof")
    page = visitor.browser.follow(visitor.browser.submit(form))
    link = next(link.href for link in links_of(page) if link.id == "enter")
    visitor.allow_code(link)
    seen: list[requests.Response] = []

    def goes_on() -> bool:
        seen.append(visitor.browser.get(page.url))
        return seen[-1].is_redirect

    until(goes_on, "the widget going on", seconds=_DECIDED_WITHIN_SECONDS, pause=_POLL_SECONDS)
    return seen[-1]


def _new_key(stack: LocalStack, visitor: Visitor) -> dict[str, str]:
    return {"api_key": SandboxControl(stack.urls["sandbox"]).api_key(visitor.account)}


def _password(stack: LocalStack, visitor: Visitor) -> dict[str, str]:
    return {"username": visitor.account, "password": visitor.account}


WALKS: Mapping[str, Walk] = {
    "api_key": _type(_new_key),
    "two_step_login": _type(_password),
    "oauth2_device_authorization": _enter_code,
}


def _call_me(credential: Mapping[str, Any]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        url, query = f"{credential['base_url']}/me", credential["query"]
        return session.get(url, headers=credential["headers"], params=query, timeout=10)
