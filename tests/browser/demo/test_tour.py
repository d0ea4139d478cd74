"""The README, tried out on one running stack: its commands, its code, and its tour in each of three engines.

The three take the tour side by side, each as another person, because most of it is waiting.
"""

import re
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from config.local.demo.customer_app.latchkey import Latchkey
from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from providers.oauth.pkce import new_verifier
from providers.sandbox.client import SandboxControl
from tests.browser.webdriver import PACKAGES, Browser, missing_packages, need, started
from tests.clone import make_clone, unconfigured
from tests.smoke.visitor import Visitor

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
SANDBOX = "http://127.0.0.1:9400"

_REFRESHED_WITHIN_SECONDS = 60.0
_NOTICED_WITHIN_SECONDS = 90.0


@dataclass(frozen=True)
class Tourist:
    """Who takes the tour: a user of the customer app, with an account at the sandbox. Passwords are the names."""

    user: str
    account: str
    full_name: str


TOURISTS = {
    "chromium": Tourist("ann", "alice", "Alice Archer"),
    "firefox": Tourist("ben", "bob", "Bob Bennett"),
    "webkit": Tourist("ann", "carol", "Carol Clarke"),
}


@pytest.fixture(scope="module")
def typed(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands of "Add a provider" print, typed one after the other as they stand into a shell of the clone's.

    Only the sandbox's address is the one that the demo has named. Nothing is configured for them.
    """
    clone = make_clone(tmp_path_factory.mktemp("newcomer") / "latchkey", with_environment=True)
    printed = {}
    for command in commands_of("Add a provider"):
        ran = subprocess.run(
            ["sh", "-c", command.replace(SANDBOX, stack.urls["sandbox"])],
            cwd=clone,
            env=unconfigured(LATCHKEY_STATE=str(stack.state_dir)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        if command.startswith("./manage.py"):
            assert ran.stderr == f"manage.py: with the settings of the demo that runs from {stack.state_dir}\n"
        printed[command.partition("#")[0].strip()] = ran.stdout
    return printed


@pytest.fixture(scope="module")
def tours(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> "dict[str, Future[None]]":
    """What became of the tours, taken all at once and nothing beside them: they revoke what others might use."""
    folder = tmp_path_factory.mktemp("profiles")
    names = [name for name in TOURISTS if not missing_packages(name)]
    with ThreadPoolExecutor() as pool:  # ends when they have ended
        return {name: pool.submit(_tour, stack, name, folder / name) for name in names}


def section(heading: str) -> str:
    return README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def commands_of(heading: str) -> list[str]:
    """Return the commands of a section, without the prompt."""
    return [line.removeprefix("$ ") for line in section(heading).splitlines() if line.startswith("$ ")]


def fact(printed: str, name: str) -> str:
    """Return one fact of what an operator's command has printed."""
    (value,) = re.findall(rf"^{name} +(\S+)$", printed, re.MULTILINE)
    return str(value)


def output_of(typed: dict[str, str], beginning: str) -> str:
    """Return what the last command that begins so has printed."""
    return [printed for command, printed in typed.items() if command.startswith(beginning)][-1]


def test_the_commands_show_and_add_what_they_say(typed: dict[str, str]) -> None:
    assert "hubspot" in output_of(typed, "./manage.py providers list")
    assert "Added the provider our-login" in output_of(typed, "./manage.py providers add")
    assert fact(output_of(typed, "./manage.py provider_apps add"), "client_secrets") == "set"
    assert fact(output_of(typed, "./manage.py api_clients add"), "key").startswith("lk_")


@pytest.mark.parametrize("provider", ["our-login", "sandbox"])
def test_the_code_for_a_product_runs_as_it_stands(provider: str, stack: LocalStack, typed: dict[str, str]) -> None:
    """With the key that the commands have printed, for the provider that they have added and for the demo's."""
    app = output_of(typed, "./manage.py provider_apps add")
    SandboxControl(stack.urls["sandbox"]).register_client(
        fact(app, "client_id"),
        client_secret="replace-by-the-secret",
        redirect_uris=[fact(app, "redirect_uri")],
        scopes=["openid", "profile"],
    )
    code = re.findall("```python\n(.*?)```", section("Use it from your product"), re.DOTALL)[0]
    for said, here in (
        ("hubspot", provider),
        ("https://connect.example.com", stack.urls["web"]),
        ("lk_…", fact(output_of(typed, "./manage.py api_clients add"), "key")),
        ("secrets, requests", "secrets"),
    ):
        assert said in code
        code = code.replace(said, here)
    prepare, begin, confirm, use = re.split(r"(?m)^(?=# [123]\. )", code)
    names: dict[str, Any] = {
        "requests": SimpleNamespace(Session=Product, get=Product().get),
        "current_user": SimpleNamespace(id="zoe"),
        "login_session": {},
    }
    exec(prepare + begin, names)
    zoe = Visitor(stack.urls, name="zoe", account="alice")
    callback = zoe.consent(zoe.click_through(names["session"]["connect_url"]))
    returned = zoe.browser.follow(callback, until="https://app.example.com/").headers["Location"]
    names |= dict(parse_qsl(urlsplit(returned).query))
    exec(f"def confirmed():\n{indent(confirm, '    ')}    return connection\nconnection = confirmed()", names)
    assert names["connection"]["status"] == "active"
    assert names["connection"]["end_user"] == "zoe"
    if provider == "sandbox":  # what an issuer publishes says nothing of an API
        exec(use.replace("requests.get", "answer = requests.get"), names)
        assert names["answer"].json()["name"] == "Alice Archer"


class Product(requests.Session):
    """A product's own HTTP client, which goes past any proxy of this machine's and notices every refusal."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *args: Any, **options: Any) -> requests.Response:
        answer = super().request(*args, **options)
        assert answer.ok, answer.text
        return answer


@pytest.mark.parametrize("name", TOURISTS)
def test_the_tour_passes_in(name: str, tours: "dict[str, Future[None]]") -> None:
    need(name)
    tours[name].result()


def test_a_browser_that_keeps_no_cookie_says_so_wherever_one_is_needed(stack: LocalStack, tmp_path: Path) -> None:
    need("firefox")
    told = "Your browser did not keep a cookie"
    with started("firefox", tmp_path / "profile", keeps_cookies=False) as browser:
        for url, name in ((stack.urls["customer_app"], "name"), (f"{stack.urls['web']}/admin/", "username")):
            browser.open(url)
            browser.fill(name, "somebody")
            browser.fill("password", "somebody")
            browser.press_enter("password")
            browser.wait_for_text(told)
        latchkey = Latchkey(base_url=stack.urls["web"], api_key=stack.seeded["api_key"])
        return_url = f"{stack.urls['customer_app']}/connected"
        _, connect_url = latchkey.begin(
            end_user="ann", provider="sandbox", return_url=return_url, code_verifier=new_verifier()
        )
        browser.open(connect_url)
        browser.press("Continue")
        browser.wait_for_text(told)
        browser.press("Back to Acme")
        browser.wait_for(lambda: browser.url.startswith(stack.urls["customer_app"]), "way back")


def test_there_is_a_visitor_for_every_browser() -> None:
    assert set(TOURISTS) == set(PACKAGES)


def _tour(stack: LocalStack, name: str, folder: Path) -> None:
    with started(name, folder) as browser:
        try:
            _take(browser, stack, TOURISTS[name])
        except BaseException:
            browser.screenshot(stack.state_dir / f"{name}.png")
            raise


def _connect_over_page(browser: Browser, stack: LocalStack) -> None:
    """Connect once more, over the customer app's own page and in a window that closes by itself."""
    browser.open(stack.urls["customer_app"])
    (app,) = browser.windows
    browser.press("Connect over this page")
    browser.enter_frame()
    browser.press_until("Continue", lambda: len(browser.windows) > 1, "window of the flow")
    (flow,) = set(browser.windows) - {app}
    browser.enter_window(flow)
    browser.press("Sign in with Sandbox")
    browser.press_until("Allow", lambda: browser.windows == [app], "end of that window")
    browser.enter_window(app)
    browser.wait_for(lambda: "/connections/" in browser.url, "connection")
    browser.wait_for_text("Everything works.")


def _take(browser: Browser, stack: LocalStack, visitor: Tourist) -> None:
    """Do what the README says, in its order and numbers."""
    # 1
    browser.open(stack.urls["customer_app"])
    browser.fill("name", visitor.user)
    browser.fill("password", visitor.user)
    browser.press("Log in")
    # 2
    browser.press("Connect Sandbox")
    browser.press("Continue")
    browser.wait_for(lambda: any(cookie.startswith("latchkey-") for cookie in browser.cookies), "cookie of the session")
    browser.press("Sign in with Sandbox")
    # 3
    browser.wait_for(lambda: browser.url.startswith(stack.urls["sandbox"]), "sandbox")
    browser.fill("username", visitor.account)
    browser.fill("password", visitor.account)
    browser.press_enter("password")
    # 4
    browser.press_until("Allow", lambda: "/connections/" in browser.url, "way back")
    connection = browser.url.rpartition("/")[2]
    assert visitor.full_name in browser.text
    assert "Everything works." in browser.text
    browser.press("Call the API")
    browser.wait_for(
        lambda: browser.run("return document.querySelector('[data-answer]').dataset.answer") == "200", "answer"
    )
    assert visitor.full_name in browser.run("return document.getElementById('body').innerText")
    # 5: the page follows by itself
    browser.open(f"{stack.urls['customer_app']}/connections/{connection}")
    version = "return document.getElementById('version').innerText"
    first = browser.run(version)
    assert re.fullmatch("[0-9a-f]{8}", first)
    browser.wait_for(lambda: browser.run(version) != first, "renewed token", seconds=_REFRESHED_WITHIN_SECONDS, pause=1)
    assert "Everything works." in browser.text
    # 6
    browser.open(f"{stack.urls['sandbox']}/apps")
    browser.press("Revoke Acme")
    browser.wait_for(lambda: "Acme" not in browser.text, "end of Acme's access")
    browser.open(f"{stack.urls['customer_app']}/connections/{connection}")
    browser.wait_for_text("Reconnect needed", seconds=_NOTICED_WITHIN_SECONDS, pause=1)
    assert "Most likely somebody revoked it there." in browser.text
    # 7
    browser.open(stack.urls["customer_app"])
    browser.press("Manage connections")
    browser.press("Continue")
    browser.wait_for_text("Your connections")
    browser.wait_for_text("Not working")
    assert visitor.full_name in browser.text
    browser.press("Done")
    browser.wait_for(lambda: browser.url.startswith(stack.urls["customer_app"]), "way back from the page")
    # 8
    operator = stack.seeded["operator"]
    browser.open(f"{stack.urls['web']}/admin/")
    browser.fill("username", operator["username"])
    browser.fill("password", operator["password"])
    browser.press_enter("password")
    browser.wait_for_text("Log out")
    browser.open(f"{stack.urls['web']}/admin/connections/connection/{connection}/change/")
    for words in ("Needs re-authorization", "The provider refused the grant twice", "Promoted", "needs reauth"):
        browser.wait_for_text(words)
    _connect_over_page(browser, stack)
    # Cookies know no ports, and yet no login has ended another.
    for url in (stack.urls["customer_app"], f"{stack.urls['web']}/admin/", f"{stack.urls['sandbox']}/apps"):
        browser.open(url)
        assert "Log out" in browser.text or "Sign out" in browser.text, url
    held = browser.cookies
    names = {re.sub("-[0-9a-f]{16}$", "-SESSION", name) for name in held}
    assert names == {
        "acme_session",
        "sandbox_session",
        "latchkey-operator",
        "latchkey-known",
        "latchkey-csrf",
        "latchkey-SESSION",
    }
    assert all(cookie["httpOnly"] for cookie in held.values())
