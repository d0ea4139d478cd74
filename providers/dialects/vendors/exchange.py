"""A vendor that exchanges the token of somebody for one that acts for them (RFC 8693, or Microsoft's form of it)."""

from dataclasses import dataclass, field
from typing import Any

from providers.dialects.matching import names_in, values_in
from providers.dialects.vendors.issuer import Issuer
from providers.dialects.vendors.stand_in import Refused
from providers.dialects.wire import Request


@dataclass
class Exchanging(Issuer):
    """``subjects`` are the tokens of people that it knows; all end with whoever they are about."""

    subjects: set[str] = field(default_factory=set)

    def sign_in(self) -> str:
        """Return a token of somebody who signs in at our product."""
        self.subjects.add(f"subject-{len(self.subjects) + 1}")
        return f"subject-{len(self.subjects)}"

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        sent, said = self._parameters(request), self.fixture
        self._check_client(request, sent)
        if (grant := sent.get("grant_type", "-")) != said.grant:
            raise Refused(400, {"error": "unsupported_grant_type"}, f"grant_type is {grant!r}")
        subject = ""
        for name, template in said.demands.items():
            value = sent.get(name, "")
            if names_in(template) == ["subject_token"]:
                subject = value
            elif values_in(template, value, self.known) is None:
                raise Refused(400, {"error": "invalid_request"}, f"{name} is {value!r}, not {template!r}")
        if self.ended or subject not in self.subjects:
            raise Refused(*said.dead, "the subject's token is not known")
        self.scopes = tuple(filter(None, sent.get("scope", "").split(said.separator or " ")))
        return 200, self._issue(is_first=True)
