"""What a vendor checks of a token that we have signed, and the vendor that is called with such tokens.

``Judge`` is shared by all who check one: it knows the keys, and compares what was signed with the fixture.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from providers.dialects.fixture import Signed
from providers.dialects.keys import KEYS, fingerprint_of, private_key, secret_of
from providers.dialects.matching import is_carried, names_in, values_in
from providers.dialects.vendors.issuer import Issuer
from providers.dialects.vendors.stand_in import Refused
from providers.dialects.wire import Request

_LEEWAY_SECONDS = 5


class BadSignature(AssertionError):
    """It is signed by nobody whom the vendor knows."""


class BadClaims(AssertionError):
    """What is signed is not what the vendor wants to hear."""


@dataclass
class Judge(Issuer):
    """``ends`` has, by each token of ours, the epoch at which the vendor stops to take it."""

    ends: dict[str, float] = field(default_factory=dict)

    @property
    def signed(self) -> Signed:
        """What the fixture says of it."""
        assert self.fixture.signed is not None, "the fixture does not say what is signed"
        return self.fixture.signed

    def judge_jwt(self, token: str) -> None:
        """Take a JWT, or raise ``BadSignature`` or ``BadClaims``."""
        said = self.signed
        header, claims = self._opened(token)
        now = time.time()
        for name in ("iat", "exp"):
            if not isinstance(claims.get(name), int):
                raise BadClaims(f"{name} is {claims.get(name)!r}")
        self._compare(said.header, header)
        self._compare(said.claims, claims)
        self._check_scopes(str(claims.get("scope", "")))
        if not claims["iat"] - _LEEWAY_SECONDS <= now < claims["exp"]:
            raise BadClaims("it is not valid now")
        begins = claims["iat"] if said.since == "iat" else now
        ends = float(claims["exp"])
        if said.longest and ends > begins + said.longest:
            if not said.cut:
                raise BadClaims(f"it is valid for {ends - begins:.0f} seconds, and not for {said.longest} at most")
            ends = begins + said.longest
        self.ends[token] = ends

    def _opened(self, token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        said = self.signed
        for whose in KEYS[said.key]:
            key: Any = bytes.fromhex(secret_of(whose)) if said.written == "hex" else private_key(whose, said.algorithm)
            checks: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
            try:
                public = key if isinstance(key, bytes) else key.public_key()
                found = jwt.decode_complete(token, public, algorithms=[said.algorithm], options=checks)
            except jwt.InvalidTokenError:
                continue
            if said.written == "pem":
                self.known["fingerprint"] = fingerprint_of(whose, said.algorithm)
            return found["header"], found["payload"]
        raise BadSignature(f"it is not signed by the key that is known, as {said.algorithm}")

    def _compare(self, templates: Mapping[str, str], said: Mapping[str, Any]) -> None:
        """Compare what is signed with ``templates``. Raises ``BadClaims``."""
        for name, template in templates.items():
            value = said.get(name)
            alone = value[0] if isinstance(value, list) and len(value) == 1 else value
            text = " ".join(alone) if isinstance(alone, list) else alone
            if not isinstance(text, str) or not self._says(template, text):
                raise BadClaims(f"{name} is {value!r} and not {template!r}")

    def _says(self, template: str, text: str) -> bool:
        if template == "{scopes}":
            return bool(text.split())
        known = {name: value.upper() if name in self.signed.capitals else value for name, value in self.known.items()}
        known = {name: value for name, value in known.items() if name in names_in(template)}
        found = values_in(template, text, known)
        if found is None:
            return False
        as_typed = {name: self._as_typed(name, value) for name, value in found.items()}
        if None in as_typed.values():
            return False
        self.known |= {name: value for name, value in as_typed.items() if value is not None}
        return True

    def _as_typed(self, name: str, value: str) -> str | None:
        """Return which of the values that somebody supplied ``value`` is, None if it is none."""
        capital = name in self.signed.capitals
        for given in self.supplied:
            if given and value == (given.upper() if capital else given):
                return given
        return None

    def _check_scopes(self, text: str) -> None:
        self.scopes = tuple(text.split())
        for wanted in self.signed.scopes:
            if not {*wanted.split("|")} & {*self.scopes}:
                raise BadClaims(f"the scopes are {text!r}, without {wanted}")


@dataclass
class Signing(Judge):
    """Takes tokens of ours at its API, or gives one of its own for such a token."""

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        said = self.fixture
        why = is_carried(said.demand_headers, request.headers, self._accepts)
        if why:
            raise Refused(*said.wrong_client, why)
        if self.ended:
            raise Refused(*said.dead, "the account is gone")
        return 201, self._issue(is_first=True)

    def _is_alive(self, placeholder: str, value: str) -> bool:
        if placeholder != "jwt":
            return super()._is_alive(placeholder, value)
        try:
            self.judge_jwt(value)
        except (BadSignature, BadClaims) as error:
            self.complaints.append(str(error))
            return False
        return True
