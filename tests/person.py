"""People at their browsers: they sign in at the sandbox, and consent.

How their browser works is in ``tests.smoke.browser``.
"""

from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

from tests.smoke.browser import Browser, forms_of

_MOST_STEPS = 20


class Person(Browser):
    """alice, bob or carol, with a browser of their own."""

    def __init__(self, username: str, password: str | None = None) -> None:
        super().__init__()
        self.username = username
        self.password = password if password is not None else username

    def sign_in(self, base_url: str) -> None:
        """Sign in at the sandbox."""
        answer = self.post(f"{base_url}/login", {"username": self.username, "password": self.password})
        assert answer.status_code == 303, f"{self.username} could not sign in at {base_url}: {answer.status_code}"

    def authorize(self, url: str, *, allow: bool = True, scopes: list[str] | None = None) -> str:
        """Open an authorization request at the sandbox, sign in if asked, and decide.

        Returns the address at the client to which the browser is sent, without requesting it. ``scopes`` are the boxes
        left ticked (default: all). For ``response_mode=form_post`` use ``decide``.
        """
        answer = self.decide(url, allow=allow, scopes=scopes)
        assert answer.is_redirect, f"no redirect but {answer.status_code}: {answer.text[:500]}"
        return urljoin(answer.url, answer.headers["Location"])

    def decide(self, url: str, *, allow: bool = True, scopes: list[str] | None = None) -> requests.Response:
        """Do as ``authorize``, and return the sandbox's answer to the decision, or its refusal to ask for one."""
        server = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        answer = self._to_consent_or_away(url, server)
        consent = next((form for form in forms_of(answer) if ("action", "allow") in form.buttons), None)
        if answer.is_redirect or consent is None:
            return answer
        fields = [(name, value) for name, value in consent.fields if name != "scope"]
        offered = [value for name, value in consent.fields if name == "scope"]
        fields += [("scope", scope) for scope in (offered if scopes is None else scopes)]
        return self.post(consent.action, [*fields, ("action", "allow" if allow else "deny")])

    def _to_consent_or_away(self, url: str, server: str) -> requests.Response:
        answer = self.get(url)
        for _ in range(_MOST_STEPS):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["Location"])
                if not target.startswith(f"{server}/"):
                    return answer
                answer = self.get(target)
                continue
            sign_in = next((form for form in forms_of(answer) if {"username", "password"} <= form.names), None)
            if sign_in is None:
                return answer
            answer = self.submit(sign_in, username=self.username, password=self.password)
        raise AssertionError(f"{self.username} could not sign in at {server}")


def parameters_of(url: str) -> dict[str, str]:
    """Return the query parameters of an address, such as an authorization response."""
    return dict(parse_qsl(urlsplit(url).query))
