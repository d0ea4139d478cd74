"""A service of AWS: it checks the signature of each request (Signature Version 4), for its own region and name.

Written by https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (2026-11-29).
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from providers.dialects.matching import values_in
from providers.dialects.vendors.stand_in import Refused, StandIn
from providers.dialects.wire import Request

_SCHEME = "AWS4-HMAC-SHA256"
_SKEW_SECONDS = 300
_UNRESERVED = "-_.~"


class Aws(StandIn):
    """Knows one access key, which is temporary if a session token was typed with it."""

    def _check_credential(self, request: Request, *, alone: bool = False) -> None:
        if why := self._wrong_with(request):
            raise Refused(*self.fixture.refusal, why)
        super()._check_credential(request, alone=alone)

    def _wrong_with(self, request: Request) -> str:
        """Return what is wrong with the signature of a request, "" if nothing is."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        said = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != _SCHEME or said.keys() != {"Credential", "SignedHeaders", "Signature"}:
            return "it is not signed"
        key_id, _, scope = said["Credential"].partition("/")
        if key_id != self.typed.get("access_key_id"):
            return "nobody has this access key"
        day, _, place = scope.partition("/")
        if place not in {f"{wanted}/aws4_request" for wanted in self._places(request.address)}:
            return f"it is signed for {place}"
        moment = request.headers.get("X-Amz-Date", "")
        if not moment.startswith(day) or abs(_epoch(moment) - time.time()) > _SKEW_SECONDS:
            return f"it was signed at {moment!r}"
        names = said["SignedHeaders"].split(";")
        must = {"host", *(name.lower() for name in request.headers if name.lower().startswith("x-amz-"))}
        if not must <= {*names} or names != sorted(names):
            return f"the signed headers are {names}"
        if request.headers.get("X-Amz-Security-Token", "") != self.typed.get("session_token", ""):
            return "the session token is another one"
        signature = self._signature(_canonical(request, names), moment, scope)
        return "" if signature == said["Signature"] else "the signature does not fit"

    def _places(self, address: str) -> Iterable[str]:
        """Yield for which region and service a request to ``address`` is to be signed."""
        for template, place in self.fixture.scopes_of_keys.items():
            found = values_in(template, address, self.known, at_start=True, is_address=True)
            if found is not None:
                values = {**self.known, **found}
                yield re.sub(r"\{(\w+)\}", lambda name, values=values: values[name[1]], place)  # type: ignore[misc]

    def _signature(self, canonical: str, moment: str, scope: str) -> str:
        key = f"AWS4{self.typed['secret_access_key']}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        return hmac.new(key, f"{_SCHEME}\n{moment}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


def _canonical(request: Request, names: list[str]) -> str:
    parts = urlsplit(request.url)
    pairs = sorted(
        f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names]
    payload = hashlib.sha256(request.body).hexdigest()
    path = quote(parts.path or "/", safe=f"/{_UNRESERVED}")
    return "\n".join([request.method, path, "&".join(pairs), *headers, "", ";".join(names), payload])


def _epoch(moment: str) -> float:
    try:
        return datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
