"""A vendor that gives a token for what was typed, by a call of its own."""

from typing import Any

from providers.dialects.matching import is_carried
from providers.dialects.vendors.issuer import Issuer
from providers.dialects.vendors.stand_in import Refused
from providers.dialects.wire import Request


class LoggingIn(Issuer):
    """Wants what its fixture demands, each value as it was typed."""

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        said = self.fixture
        sent = request.query if request.method == "GET" else self._parameters(request)
        why = is_carried(said.demands, sent, self._is_typed)
        why = why or is_carried(said.demand_headers, request.headers, self._is_typed)
        if why or self.ended:
            raise Refused(*said.dead, why or "the account is gone")
        return 200, self._issue(is_first=True)
