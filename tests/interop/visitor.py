"""People at the foreign servers' own pages: they sign in, consent or decline, and withdraw what they granted."""

from urllib.parse import urlsplit

import requests

from tests.person import Person
from tests.smoke.browser import forms_of, links_of


class Visitor(Person):
    """alice or bob. Their login form asks for username and password; the button that consents is called ``allow``."""

    def decide(self, url: str, *, allow: bool = True, scopes: list[str] | None = None) -> requests.Response:
        """Open an authorization request, sign in if asked, decide, and return the server's answer.

        ``scopes`` must be None: these pages offer all or nothing.
        """
        assert scopes is None
        answer = self._to_consent_or_away(url, "{0.scheme}://{0.netloc}".format(urlsplit(url)))
        for form in forms_of(answer):
            for name, value in form.buttons:
                if name == "allow":
                    return self.submit(form, button=(name, value) if allow else None)
        return answer

    def enter(self, link: str, code: str, *, allow: bool = True) -> None:
        """Open the server's page for codes, sign in if asked, enter ``code`` (RFC 8628 §3.3), and decide."""
        answer = self._to_consent_or_away(link, "{0.scheme}://{0.netloc}".format(urlsplit(link)))
        for _ in range(2):  # some ask for the decision on a page of its own
            (form,) = [form for form in forms_of(answer) if form.method == "POST"]
            words = ("accept", "yes") if allow else ("deny", "")
            button = next((button for button in form.buttons if button[1] in words), None)
            answer = self.follow(
                self.submit(form, button=button, **{"user_code": code} if "user_code" in form.names else {})
            )
            assert answer.status_code == 200, answer.text[:500]
            if button is not None:
                return
        raise AssertionError("the server asked for no decision")

    def withdraw(self, url: str) -> None:
        """Open the server's page of granted consents, and take each of them back."""
        page = self.get(url)
        assert page.status_code == 200, page.status_code
        pages = [self.get(link.href) for link in links_of(page) if link.text == "revoke"] or [page]
        for form in [form for each in pages for form in forms_of(each)]:
            assert self.submit(form).status_code in (200, 302)
