"""The steps of the smoke run, on a running stack: what ann and ben do, and what Latchkey does by itself.

Asserts on the API, on the pages that people see, and on the sandbox's request log, which is the oracle.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import requests

from config.local.demo.customer_app.latchkey import Latchkey, LatchkeyProblem
from config.local.demo.stack import LocalStack
from providers.sandbox.client import SandboxControl
from providers.sandbox.log import Entry
from providers.sandbox.waiting import until
from tests.agent_sdk import talk
from tests.smoke.browser import forms_of
from tests.smoke.clients import call_by_client
from tests.smoke.styles import WALKS, connect_by
from tests.smoke.visitor import Unexpected, Visitor, expect, shown

_POLL_SECONDS = 0.2
_REFRESH_WITHIN_SECONDS = 40.0
_NOTICED_WITHIN_SECONDS = 50.0
_REVOKED_WITHIN_SECONDS = 15.0
_STRIKES_APART_SECONDS = 30.0


class Recorder(Protocol):
    """Where the steps are told and timed."""

    def step(self, name: str, what: str, *, since: float | None = None) -> AbstractContextManager[None]: ...


def run_steps(stack: LocalStack, steps: Recorder) -> None:
    """Play it all. Raises ``Unexpected`` or ``NotInTime`` at the first thing that does not hold."""
    api = Latchkey(base_url=stack.urls["web"], api_key=stack.seeded["api_key"])
    sandbox = SandboxControl(stack.urls["sandbox"])
    ann = Visitor(stack.urls, name="ann", account="alice")
    ben = Visitor(stack.urls, name="ben", account="bob")
    with steps.step("log_in", "ann and ben log in at the customer app"):
        ann.log_in()
        ben.log_in()
    # First, because noticing it takes longest: two refusals, 30 s apart. The other steps pass meanwhile.
    with steps.step("connect", "ben connects bob's account: widget, sign-in, consent, callback, completion"):
        his = _connected(api, ben)
    with steps.step("revoke_at_provider", "bob revokes the app on the sandbox's own page"):
        ben.revoke_at_provider()
        revoked_at = time.monotonic()
    with steps.step("connect_second", "ann connects alice's account"):
        hers = _connected(api, ann)
    with steps.step("vend", "the API vends ann's token"):
        vended = api.vend(hers["id"], end_user="ann", purpose="smoke")
        expect(vended["version"] == hers["version"], "another version was vended than is current")
    with steps.step("use_token", "the token works at the provider, and the customer app shows the account"):
        _use(ann, hers, vended, sandbox)
    with steps.step("agent", "an agent, by the SDK of the Model Context Protocol, calls the provider for ann"):
        _call_as_agent(stack, hers)
    with steps.step("generated_client", "the generated client vends, calls by its auth, and reads events"):
        call_by_client(stack, connection_id=hers["id"], end_user="ann", stranger="ben")
    with steps.step("refuse_other_user", "ben gets neither ann's token nor her page"):
        _refuse_other_user(api, ben, hers)
    with steps.step("refuse_crossed_flow", "ben cannot finish what ann began; no code is exchanged, ann's stays"):
        _refuse_crossed_flow(api, ann, ben, hers, sandbox)
    with steps.step("background_refresh", "beat and worker replaced ann's token, with one request"):
        _wait_for_refresh(api, hers, sandbox)
    with steps.step("disconnect", "ann disconnects: revoked at the provider, and confirmed"):
        _disconnect(api, ann, hers, sandbox)
    for style in WALKS:
        with steps.step(style, "ann connects by it in the widget, and what is vended works"):
            connect_by(style, stack, api, ann)
    with steps.step("needs_reauth", "the revocation was noticed without a vend, and has its reason", since=revoked_at):
        _wait_for_needs_reauth(api, ben, his, sandbox)
    with steps.step("reconnect", "ben reconnects the same connection"):
        again = ben.connect(f"/connections/{his['id']}/reconnect", on=f"/connections/{his['id']}")
        renewed = api.connection(again)
        expect(again == his["id"] and renewed["status"] == "active", "reconnecting did not mend the connection")
        expect(renewed["reason"] == "reconnected", f"the reason is {renewed['reason']}")


def _connected(api: Latchkey, visitor: Visitor) -> dict[str, Any]:
    connection = api.connection(visitor.connect())
    expect(connection["status"] == "active", f"the connection is {connection['status']}, not active")
    expect(connection["end_user"] == visitor.name, "the connection is somebody else's")
    expect(connection["binding"] == "completion", "the connection was not confirmed")
    expect(not connection["scopes"]["missing"], f"scopes are missing: {connection['scopes']['missing']}")
    return connection


def _use(visitor: Visitor, connection: dict[str, Any], vended: dict[str, Any], sandbox: SandboxControl) -> None:
    me = _call_me(vended)
    expect(me.status_code == requests.codes.ok, f"the provider answers {me.status_code} to the vended token")
    expect(me.json()["sub"] == connection["account"]["id"], "the token is that of another account")
    here = f"/connections/{connection['id']}"
    page = visitor.press(f"{here}/call", on=here)
    expect(shown(page, "data-answer") == "200", f"the customer app's call answers {shown(page, 'data-answer')!r}")
    expect(connection["account"]["name"] in page.text, "the customer app does not show the account")
    expect(vended["credential"]["value"] not in page.text, "the app shows the token")


def _call_as_agent(stack: LocalStack, hers: dict[str, Any]) -> None:
    """List what there is for ann, and call the provider, with a key that may neither vend nor read."""
    adding = ("manage.py", "api_clients", "add", "agent", "--tenant", stack.seeded["tenant"], "--permission", "proxy")
    made = json.loads(stack.run("agent", *adding, "--rule", "* readonly /**", "--json"))

    async def do(client: Any) -> None:
        listed = (await client.call_tool("list_connections", {})).structured_content["connections"]
        expect([one["id"] for one in listed] == [hers["id"]], "the agent is not shown ann's connection alone")
        call = {"connection": hers["id"], "path": "me", "purpose": "smoke"}
        answer = (await client.call_tool("call_provider", call)).structured_content
        expect(answer.get("status") == requests.codes.ok, f"the agent's call ends with {answer}")
        expect(answer["json"]["sub"] == hers["account"]["id"], "the agent reached another account")
        denied = await client.call_tool("call_provider", {**call, "method": "POST"})
        expect(denied.structured_content["code"] == "policy_denied", "the agent may write")

    talk(stack.urls["web"], {"Authorization": f"Bearer {made['key']}", "Latchkey-End-User": "ann"}, do)


def _refuse_other_user(api: Latchkey, ben: Visitor, hers: dict[str, Any]) -> None:
    _expect_refusal("policy_denied", lambda: api.vend(hers["id"], end_user="ben", purpose="smoke"))
    page = ben.post(f"/connections/{hers['id']}/call")
    expect(page.status_code == requests.codes.forbidden, f"ben's call answers {page.status_code}")
    expect(shown(page, "data-code") == "policy_denied", f"ben's call is refused with {shown(page, 'data-code')!r}")
    expect(ben.open(f"/connections/{hers['id']}").status_code == requests.codes.not_found, "ben sees ann's connection")


def _refuse_crossed_flow(
    api: Latchkey, ann: Visitor, ben: Visitor, hers: dict[str, Any], sandbox: SandboxControl
) -> None:
    exchanged = _code_exchanges(sandbox)
    held = ann.browser.get(ann.consent(ann.leave()))
    expect(held.is_redirect, "the widget did not hand out a completion code")
    page = ben.browser.follow(held.headers["Location"])
    expect(shown(page, "data-code") == "not_begun_here", f"ben is told {shown(page, 'data-code')!r}")
    _refuse_confirmation(api, dict(parse_qsl(urlsplit(held.headers["Location"]).query)))
    page = ann.browser.follow(held.headers["Location"])
    expect(shown(page, "data-code") == "session_unusable", f"ann is told {shown(page, 'data-code')!r} afterwards")
    expect(_code_exchanges(sandbox) == exchanged, "a code was exchanged although the users differ")
    live = [one["id"] for one in api.connections(end_user="ann") if one["status"] == "active"]
    expect(live == [hers["id"]], "the refused attempt changed ann's connections")
    expect(
        all(one["status"] != "active" or one["end_user"] == "ben" for one in api.connections(end_user="ben")),
        "ben got a connection",
    )


def _refuse_confirmation(api: Latchkey, returned: dict[str, str]) -> None:
    """Confirm as ben, as a product would that lets everybody confirm whatever they bring."""
    _expect_refusal(
        "completion_mismatch",
        lambda: api.complete(
            returned["connect_session"],
            completion_code=returned["completion_code"],
            end_user="ben",
            code_verifier="x" * 43,
        ),
    )


def _wait_for_refresh(api: Latchkey, hers: dict[str, Any], sandbox: SandboxControl) -> None:
    fresh = _connection_when(
        api,
        hers["id"],
        lambda seen: bool(seen["version"] != hers["version"]),
        "a refresh of ann's token in the background",
        seconds=_REFRESH_WITHIN_SECONDS,
    )
    expect(fresh["status"] == "active", f"the connection is {fresh['status']} after its refresh")
    refreshes = _refreshes(sandbox, username="alice")
    outcomes = [entry.outcome for entry in refreshes]
    expect(outcomes == ["rotated"], f"the provider saw these refreshes: {outcomes}")
    vended = api.vend(hers["id"], end_user="ann", purpose="smoke")
    expect(_call_me(vended).status_code == requests.codes.ok, "the refreshed token does not work")


def _disconnect(api: Latchkey, ann: Visitor, hers: dict[str, Any], sandbox: SandboxControl) -> None:
    vended = api.vend(hers["id"], end_user="ann", purpose="smoke")
    here = f"/connections/{hers['id']}"
    ann.press(f"{here}/disconnect", on=here)
    _expect_refusal("not_found", lambda: api.vend(hers["id"], end_user="ann", purpose="smoke"))
    ended = _connection_when(
        api,
        hers["id"],
        lambda seen: bool(seen["revocation"] != "pending"),
        "the end of the revocation at the provider",
        seconds=_REVOKED_WITHIN_SECONDS,
    )
    expect(ended["revocation"] == "confirmed", f"the revocation is {ended['revocation']!r}")
    expect(all(grant["revoked_at"] for grant in sandbox.grants(username="alice")), "the provider still has a grant")
    expect(_call_me(vended).status_code == requests.codes.unauthorized, "the last token still works")


def _wait_for_needs_reauth(api: Latchkey, ben: Visitor, his: dict[str, Any], sandbox: SandboxControl) -> None:
    lost = _connection_when(
        api,
        his["id"],
        lambda seen: bool(seen["status"] == "needs_reauth"),
        "a connection that is known to be revoked",
        seconds=_NOTICED_WITHIN_SECONDS,
    )
    expect(lost["reason"] == "grant_rejected", f"the reason is {lost['reason']}")
    refused = [one.started_at for one in _refreshes(sandbox, username="bob") if one.error == "invalid_grant"]
    apart = refused[-1] - refused[0] if refused else 0.0
    expect(len(refused) == 2 and apart >= _STRIKES_APART_SECONDS, f"{len(refused)} refusals, {apart:.1f} s apart")
    page = ben.open(f"/connections/{his['id']}")
    expect(shown(page, "data-reason") == "grant_rejected", "the customer app does not show why")
    expect(any(form.action.endswith("/reconnect") for form in forms_of(page)), "the customer app offers no way out")
    _expect_refusal("reauthorization_required", lambda: api.vend(his["id"], end_user="ben", purpose="smoke"))


def _code_exchanges(sandbox: SandboxControl) -> int:
    """Return how many codes were brought to the token endpoint so far."""
    return len(sandbox.log(endpoint="token", grant_type="authorization_code"))


def _refreshes(sandbox: SandboxControl, *, username: str) -> list[Entry]:
    """Return the refresh requests for grants of ``username`` that have been answered, oldest first."""
    grants = {grant["id"] for grant in sandbox.grants(username=username)}
    return [one for one in sandbox.log(grant_type="refresh_token") if one.ended_at and one.grant_id in grants]


def _call_me(vended: dict[str, Any]) -> requests.Response:
    """Call the provider's resource API with a vended credential, where the vend says that it is."""
    credential = vended["credential"]
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{credential['base_url']}/me", headers=credential["headers"], timeout=10)


def _expect_refusal(code: str, call: Callable[[], object]) -> None:
    try:
        call()
    except LatchkeyProblem as refusal:
        expect(refusal.code == code, f"the refusal is {refusal.code}, not {code}")
    else:
        raise Unexpected(f"the API did not refuse with {code}")


def _connection_when(
    api: Latchkey, wanted: str, is_there: Callable[[dict[str, Any]], bool], what: str, *, seconds: float
) -> dict[str, Any]:
    """Return the connection as soon as it is so; raise ``NotInTime`` with how it is instead."""
    seen: dict[str, Any] = {}

    def look() -> bool:
        seen.update(api.connection(wanted))
        return is_there(seen)

    def told() -> str:
        return f"{what}, but it is {seen['status']}, {seen['reason']}, revocation {seen['revocation']!r}"

    until(look, told, seconds=seconds, pause=_POLL_SECONDS)
    return seen
