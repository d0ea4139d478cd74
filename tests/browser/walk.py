"""Every screen of the widget and every state of it, each with a way to get there as often as one likes.

The browser is never taken to the provider, nor back to the product: what a person does there, this module does. So a
page that goes on by itself stands still to be looked at.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, LiteralString
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from playwright.sync_api import Error, Frame, Page, Request, Route

from tests.browser.operator import Operator
from tests.browser.tls_stack import Sites
from tests.campaigns.stacks import control, database
from tests.person import Person

Shown = Page | Frame
WRONG_KEY = "sk_a_key_that_is_wrong"
_PATIENCE = 4500
COPIED = "{ const copy = document.getElementById('copy'); copy.hidden = false; copy.textContent = copy.dataset.done; }"
LOST = "{ const wait = document.getElementById('waiting'); wait.textContent = wait.dataset.lost; }"


@dataclass(frozen=True)
class Screen:
    """One screen. ``arrive`` takes the walk's page there, and returns what shows it: the page or a frame in it.

    - ``is_of_words``: nothing but the words differ from another screen, so that it is for eyes alone
    - ``is_once``: the request that brings it cannot be sent again; arriving anew makes another one
    - ``scripted``: what the page's own script has done by then, as far as it can be seen, for a copy without scripts
    """

    name: str
    arrive: Callable[[], Shown]
    is_of_words: bool = False
    is_once: bool = False
    scripted: str = ""


@dataclass
class Walk:
    """One walk through ``sites`` with ``page``, whose context trusts their certificate."""

    sites: Sites
    page: Page
    language: str = "en"
    _away: list[str] = field(default_factory=list)
    _database: "psycopg.Connection[Any]" = field(init=False)

    def __enter__(self) -> "Walk":
        self._database = database(self.sites.stack)
        host = urlsplit(self.sites.product.url).netloc
        self._change(
            "INSERT INTO connections_tenantdomain (id, tenant_id, host, challenge, verified_until, failure, created_at)"
            " SELECT gen_random_uuid(), id, %s, 'walk', now() + interval '1 day', '', now() FROM connections_tenant"
            " WHERE slug = 'acme'",
            host,
        )
        for away in (f"{self.sites.provider.url}/**", f"{self.sites.product.url}/connected**"):
            self.page.context.route(away, self._stop)
        self.page.on("request", self._note_redirect)
        return self

    def __exit__(self, *_: object) -> None:
        self._change("DELETE FROM connections_tenantdomain WHERE challenge = 'walk'")
        self._database.close()

    def _stop(self, route: Route) -> None:
        route.abort("aborted")
        self._away.append(route.request.url)

    def _note_redirect(self, request: Request) -> None:
        """A redirect is followed, whatever the routes say."""
        if request.redirected_from is not None and not request.url.startswith(self.sites.latchkey.url):
            self._away.append(request.url)

    def speak(self, language: str) -> None:
        """Let the browser ask for a language from now on."""
        self.language = language
        self.page.set_extra_http_headers({"Accept-Language": language})

    def screens(self) -> Iterator[Screen]:
        """Go on from screen to screen. What one needs is there until the next one is asked for."""
        yield from self._invitations()
        yield from self._links_that_lead_nowhere()
        yield from self._in_a_frame()
        yield from self._choices()
        yield from self._fields()
        yield from self._at_the_provider()
        yield from self._codes()
        yield from self._afterwards()
        yield from self._links_that_heal()
        yield from self._own_connections()
        yield from self._bare_pages()
        yield from self._words()

    # --- The screens, in the order in which people meet them ----------------------------------------------------------
    def _invitations(self) -> Iterator[Screen]:
        acme, globex = self.sites.product, self.sites.globex
        yield Screen("landing", self._landing(acme))
        yield Screen("landing-unverified", self._landing(globex, provider="datadog"))
        yield Screen("landing-ways", self._landing(globex))
        yield Screen("landing-choice", self._landing(globex, provider=["datadog", "okta"]))
        yield Screen("landing-code", self._landing(acme, provider="codes"))
        incomplete = acme.begin().partition("#")[0]
        yield Screen("landing-incomplete", lambda: self._at(incomplete), scripted=shows("#no-token"))
        yield Screen("again", lambda: self._asked_again(acme.begin()), is_once=True)

    def _links_that_lead_nowhere(self) -> Iterator[Screen]:
        expired, used = self.sites.product.begin(), self.sites.product.begin()
        self._change("UPDATE connections_connectsession SET expires_at = now() WHERE id = %s", session_in(expired))
        yield Screen("expired", lambda: self._at(expired))
        self._start(used)
        self.page.context.clear_cookies()
        yield Screen("used", lambda: self._at(used))
        yield Screen("another-browser", lambda: self._at(self._address(used, "outcome")), is_of_words=True)
        unknown = f"{self.sites.latchkey.url}/connect/00000000-0000-4000-8000-000000000000"
        yield Screen("unknown", lambda: self._at(unknown))
        app = self.sites.apps["acme/teams"]
        yield Screen("answer-refused", lambda: self._at(f"{self.sites.latchkey.url}/connect/callback/{app}?state=x"))

    def _in_a_frame(self) -> Iterator[Screen]:
        for part in ("ask", "elsewhere", "lost", "blocked", "told"):
            scripted = f"{shows(f'[data-part={part}]')}; {hides(f'[data-part]:not([data-part={part}])')}"
            yield Screen(f"frame-{part}", partial(self._framed, part), scripted=scripted)
        yield Screen("frame-expired", self._framed_expired)

    def _choices(self) -> Iterator[Screen]:
        acme, globex = self.sites.product, self.sites.globex
        few = self._start(acme.begin(provider=["teams", "shops", "sandbox", "codes"]))
        yield Screen("choose", lambda: self._at(few))
        many = self._start(globex.begin(provider=self.sites.offered))
        yield Screen("choose-many", lambda: self._at(many), scripted=shows("#search"))
        yield Screen("choose-found", lambda: self._searched(many, "fresh"), scripted=shows("#search"))
        yield Screen("choose-not-found", lambda: self._searched(many, "zebra"), scripted=shows("#search", "#none"))
        ways = self._start(globex.begin())
        yield Screen("ways", lambda: self._at(ways))
        nothing = self._start(acme.begin(provider=["codes", "shops"]))
        apps = "provider IN ('codes', 'shops')"
        self._change(f"UPDATE connections_providerapp SET suspended_at = now() WHERE {apps}")
        yield Screen("choose-nothing", lambda: self._at(nothing))
        self._change(f"UPDATE connections_providerapp SET suspended_at = NULL WHERE {apps}")

    def _fields(self) -> Iterator[Screen]:
        acme, globex = self.sites.product, self.sites.globex
        key = self._start(acme.begin(provider="sandbox"))
        yield Screen("fields", lambda: self._at(key))
        yield Screen("fields-refused", lambda: self._typed(key, api_key=WRONG_KEY))
        control(self.sites.stack).fault("status", endpoint="me", times=0, status=503)
        yield Screen("fields-provider-down", lambda: self._typed(key, api_key=WRONG_KEY))
        control(self.sites.stack).clear_faults()
        several = self._start(globex.begin(provider="datadog"))
        yield Screen("fields-several", lambda: self._at(several))
        ways = self._start(globex.begin())
        self.page.get_by_text("with a key").click()
        long = self.page.url
        assert long != ways
        yield Screen("fields-long", lambda: self._at(long))
        before = self._start(acme.begin(provider="shops"))
        yield Screen("fields-before", lambda: self._at(before))
        yield Screen("fields-before-refused", lambda: self._typed(before, shop="My Shop!"))

    def _at_the_provider(self) -> Iterator[Screen]:
        acme = self.sites.product
        url = acme.begin()
        self._start(url)
        yield Screen("leaving", lambda: self._left(url))
        state = state_in(self._leave(url))
        yield Screen("not-finished", lambda: self._at(self._address(url, "outcome")))
        for error in ("access_denied", "temporarily_unavailable", "server_error", "invalid_scope", "consent_required"):
            self._answered(state, error=error)
            yield Screen(f"declined-{error}", lambda: self._at(self._address(url, "outcome")), error != "access_denied")
            state = state_in(self._leave(url))

    def _codes(self) -> Iterator[Screen]:
        url = self.sites.product.begin(provider="codes")
        waiting = self._start(url)
        yield Screen("code", lambda: self._at(waiting))
        yield Screen("code-copied", partial(self._scripted, waiting, COPIED), scripted=COPIED)
        yield Screen("code-lost", partial(self._scripted, waiting, LOST), scripted=LOST)
        control(self.sites.stack).settings(device_lifetime=1)
        late = self.sites.product.begin(provider="codes")
        over = self._start(late)
        control(self.sites.stack).settings(device_lifetime=600)
        self.page.wait_for_timeout(1100)
        yield Screen("code-run-out", lambda: self._at(over))

    def _afterwards(self) -> Iterator[Screen]:
        acme = self.sites.product
        url = acme.begin()
        choice = acme.complete(self._consented(url))["next"]
        yield Screen("workspace", lambda: self._at(choice))
        yield Screen("workspace-refused", lambda: self._chosen(choice, nothing=True))
        yield Screen("choice-left", lambda: self._at(self._address(url, "outcome")))
        acme.complete(self._told_by(lambda: self._chosen(choice)))
        yield Screen("done-already", lambda: self._at(self._address(url, "outcome")))
        key = control(self.sites.stack).api_key("alice")
        yield Screen("returning", lambda: self._returning(key), is_once=True)
        told = acme.begin(origin=acme.url)
        self._consented(told)
        yield Screen("finished", lambda: self._ended(self._address(told, "outcome")))

    def _links_that_heal(self) -> Iterator[Screen]:
        acme = self.sites.product
        form, key = self._start(acme.begin(provider="sandbox")), control(self.sites.stack).api_key("alice")
        connection = acme.complete(self._told_by(lambda: self._typed(form, api_key=key)))["connection"]["id"]
        ended = "UPDATE connections_connection SET status = 'needs_reauth', reason = 'credential_dead' WHERE id = %s"
        self._change(ended, connection)
        healing = acme.mended_at(connection)
        yield Screen("mend", lambda: self._at(healing))

    def _own_connections(self) -> Iterator[Screen]:
        """What alice sees of the accounts that the walk has connected: one that works, and one that has ended."""
        unopened, visit = self.sites.product.manage()["manage_url"], self.sites.product.manage()["manage_url"]
        yield Screen("manage-start", lambda: self._at(unopened))
        self._at(visit).locator("#continue").click()
        self.page.wait_for_url("**/connections")
        own = self.page.url
        yield Screen("manage-list", lambda: self._at(own))
        broken, working = self._listed("needs_reauth"), self._listed("active")
        yield Screen("manage-one", lambda: self._at(broken))
        yield Screen("manage-another", lambda: self._at(working))
        yield Screen("manage-name-refused", lambda: self._typed(working, "#rename button", label="\u202e"))
        yield from self._questions(own, working)
        yield Screen("manage-receipts", lambda: self._at(f"{working}/receipts"))
        yield Screen("manage-disconnect", lambda: self._at(f"{working}/disconnect"))
        self._at(own)
        self._stopped(self.page.locator("#done button").click)
        yield Screen("manage-closed", lambda: self._at(own))

    def _questions(self, own: str, working: str) -> Iterator[Screen]:
        """What an agent may do with an account, and asks to do."""
        acme, connection = self.sites.product, working.rpartition("/")[2]
        acme.let_agents(connection)
        where = acme.ask_as_agent(connection, 202)["approve_url"]
        yield Screen("asked", lambda: self._at(where))
        yield Screen("manage-asked", lambda: self._at(own))
        question = str(self._at(own).locator("#questions a.open").evaluate("link => link.href"))
        yield Screen("manage-approve", lambda: self._at(question))
        yield Screen("manage-shared", lambda: self._at(working))

    def _listed(self, status: str) -> str:
        """Return the address of the first connection of that status in the list that the page shows."""
        row = self.page.locator(f"[data-status={status}] a.open").first
        return str(row.evaluate("link => link.href"))

    def _bare_pages(self) -> Iterator[Screen]:
        home = self.sites.latchkey.url
        yield Screen("bare-root", lambda: self._at(f"{home}/"))
        yield Screen("bare-404", lambda: self._at(f"{home}/nowhere"))
        yield Screen("bare-400", lambda: self._at(f"{home}/nowhere?x=%00"), is_of_words=True)
        landing = self.sites.product.begin()
        self._change("ALTER TABLE connections_brand RENAME TO away")
        try:
            yield Screen("crash", lambda: self._at(landing))
        finally:
            self._change("ALTER TABLE away RENAME TO connections_brand")

    def _words(self) -> Iterator[Screen]:
        """Every failure that there are words for, whatever would have led there: with a way on, and without."""
        url = self.sites.product.begin()
        self._start(url)
        for failure in self.sites.failures:
            address = self._address(url, f"outcome/{failure}")
            yield Screen(f"words-{failure}", partial(self._at, address), is_of_words=True)

    # --- The steps ----------------------------------------------------------------------------------------------------
    def _at(self, url: str) -> Page:
        """Load ``url`` anew, whatever the page shows now."""
        is_there = self.page.url.partition("#")[0] == url.partition("#")[0]
        try:
            self.page.goto(url)
        except Error:  # the page that was there has just gone on by itself
            self.page.goto(url)
        if is_there and "#" in url:  # which went to a place in the page
            self.page.reload()
        return self.page

    def _landing(self, product: Operator, **changes: Any) -> Callable[[], Page]:
        url = product.begin(**changes)
        return lambda: self._at(url)

    def _scripted(self, url: str, script: str) -> Page:
        """Load ``url``, and have its own script do what it would do later."""
        self._at(url).evaluate(script)
        return self.page

    def _start(self, url: str) -> str:
        """Take the click, and return the address of the page that follows."""
        self._away.clear()
        self._at(url).locator("#continue").click()
        self.page.wait_for_url(re.compile(r"/(start|choose|device|method/.*)$"))
        if self.page.locator("#leave").count():
            self._led_away()
        return self.page.url

    def _ended(self, url: str) -> Page:
        """Load a page that goes on before it has loaded."""
        self._stopped(lambda: self.page.goto(url, wait_until="commit"))
        return self.page

    def _left(self, url: str) -> Page:
        """Choose the only way of a session that was started, and stop on the page before the provider's."""
        self._at(self._address(url, "choose"))
        self._stopped(self.page.locator(".choice").first.click)
        return self.page

    def _leave(self, url: str) -> str:
        """Do so, and return the link to the provider."""
        return str(self._left(url).locator("#leave").get_attribute("href"))

    def _answered(self, state: str, **answer: str) -> None:
        """Have the provider answer, as far as Latchkey can tell."""
        home, issuer = self.sites.latchkey.url, self.sites.stack.urls["sandbox"]
        query = urlencode({"state": state, "iss": issuer, **answer})
        self._at(f"{home}/connect/callback/{self.sites.apps['acme/teams']}?{query}")

    def _consented(self, url: str) -> dict[str, str]:
        """Take the click, consent as alice, and return what the product is told."""
        self._start(url)
        at_provider = self._leave(url).replace(self.sites.provider.url, self.sites.stack.urls["sandbox"])
        callback = Person("alice").authorize(at_provider)
        return self._told_by(lambda: self.page.goto(callback, wait_until="commit"))

    def _told_by(self, step: Callable[[], object]) -> dict[str, str]:
        """Return what the product is told when a step leads back to it."""
        return dict(parse_qsl(urlsplit(self._stopped(step)).query))

    def _stopped(self, step: Callable[[], object]) -> str:
        """Take a step that leads away from Latchkey, and return the address that it would have led to."""
        self._away.clear()
        with suppress(Error):  # it may end with that
            step()
        return self._led_away()

    def _led_away(self) -> str:
        for _ in range(_PATIENCE):
            if self._away:
                return self._away[-1]
            self.page.wait_for_timeout(20)
        raise AssertionError(f"nothing led away from {self.page.url}")

    def _typed(self, url: str, button: str = "button.primary", **typed: str) -> Page:
        """Load a form, fill it in and send it."""
        self._at(url)
        for name, text in typed.items():
            self.page.locator(f"[name={name}]").fill(text)
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(button).click()
        return self.page

    def _returning(self, key: str) -> Page:
        """Send a key that is right, and stop on the page before the product's."""
        form = self._start(self.sites.product.begin(provider="sandbox"))
        self._stopped(lambda: self._typed(form, api_key=key))
        return self.page

    def _searched(self, url: str, words: str) -> Page:
        self._at(url).locator("#sought").fill(words)
        return self.page

    def _chosen(self, url: str, *, nothing: bool = False) -> Page:
        """Send the choice of a workspace: the first one, or none although one is asked for."""
        self._at(url)
        if nothing:
            self.page.locator("form").evaluate("form => { form.noValidate = true }")
        else:
            self.page.locator("[name=workspace]").first.check()
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator("button.primary").click()
        return self.page

    def _asked_again(self, url: str) -> Page:
        """Take the click with a browser that is too old to say whose page sends a form."""

        def as_an_old_browser(route: Route) -> None:
            headers = {name: text for name, text in route.request.headers.items() if not name.startswith("sec-fetch")}
            headers |= {"host": urlsplit(self.sites.latchkey.url).netloc, "accept-language": self.language}
            behind = route.request.url.replace(self.sites.latchkey.url, self.sites.stack.urls["web"])
            route.fulfill(response=route.fetch(url=behind, headers=headers))

        self.page.route("**/start", as_an_old_browser)
        self._start(url)
        self.page.unroute("**/start")
        return self.page

    def _framed(self, part: str) -> Frame:
        """Return the first page in a frame of the product's, as it is while the flow runs in a window of its own."""
        if part == "ask" or not self.page.url.endswith("?framed=yes"):
            self.page.goto(f"{self.sites.product.url}/embed?framed=yes")
            self.page.frames[1].wait_for_selector("#continue:enabled")
        if part != "ask":
            self.page.frames[1].evaluate(f"show('{part}')")
        return self.page.frames[1]

    def _framed_expired(self) -> Frame:
        url = self.sites.product.begin(origin=self.sites.product.url)
        self._change("UPDATE connections_connectsession SET expires_at = now() WHERE id = %s", session_in(url))
        self.page.goto(f"{self.sites.product.url}/embed")
        self.page.evaluate("url => { document.getElementById('frame').src = url }", url)
        self.page.frame_locator("iframe").locator("#problem").wait_for()
        return self.page.frames[1]

    def _address(self, url: str, step: str) -> str:
        return f"{self.sites.latchkey.url}/connect/{session_in(url)}/{step}"

    def _change(self, statement: LiteralString, *values: str) -> None:
        self._database.execute(statement, values)


def shows(*selectors: str) -> str:
    """Return the script that shows what was hidden."""
    return f"for (const one of document.querySelectorAll('{','.join(selectors)}')) one.hidden = false"


def hides(selector: str) -> str:
    """Return the script that hides what was shown."""
    return f"for (const one of document.querySelectorAll('{selector}')) one.hidden = true"


def session_in(url: str) -> str:
    """Return the id of the session that a connect URL opens."""
    return urlsplit(url).path.split("/")[2]


def state_in(url: str) -> str:
    """Return the state of an authorization request."""
    return dict(parse_qsl(urlsplit(url).query))["state"]
