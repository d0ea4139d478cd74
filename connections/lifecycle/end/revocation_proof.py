"""Proof of a revocation: shows that a grant is dead now and was alive until it was revoked.

The 200 of RFC 7009 proves nothing. A dead token alone proves nothing either: an access token may have run out, a
refresh token may have been replaced, and a server also answers ``active: false`` about a kind of token that it does not
introspect (RFC 7662 §2.2). So the tokens are tried before and after the revocation. A token that was alive before and
is dead after, too soon to have run out, is the proof. Where the provider introspects refresh tokens, the refresh token
is tried first; elsewhere the access token stands for the grant (RFC 7009 §2.1 asks a server to end both). If any token
still works, the revocation is not confirmed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from connections.access.targets import Access
from providers.errors import ProviderError
from providers.values import Credential
from providers.vocabulary import ProbeVerdict, TokenKind

# About one credential. "proved": no token works, and the revocation ended one. "dead": no token works, for an unknown
# reason. "open": neither is known.
Finding = Literal["proved", "dead", "open"]

# A token that dies within this time after it was seen alive was ended by the revocation. The limit is needed because
# providers do not say when refresh tokens end.
SOON = timedelta(minutes=3)

# An access token that would have run out by now proves nothing; this much is allowed for the clocks' difference.
MARGIN = timedelta(seconds=25)


def is_proved(findings: Collection[Finding]) -> bool:
    """Whether the revocation has ended the grant: no credential of it works, and the end of at least one was proved.

    The other credentials may have been replaced earlier, as each refresh replaces the tokens of the last. No I/O.
    """
    return "proved" in findings and "open" not in findings


def outlived_at(noted: dict[str, Any]) -> datetime | None:
    """Return since when a token is known to have outlived its revocation, by what ``Proof.noted`` returned. No I/O."""
    written = noted.get("outlived_at")
    return datetime.fromisoformat(written) if written else None


@dataclass(slots=True)
class Proof:
    """The evidence about the tokens of one credential.

    ``active`` is when each kind of token was last seen alive; ``ended`` holds the kinds whose end was proved.
    ``outlived_at`` is since when a token is known to work although the provider said yes to its revocation.
    ``clock`` returns the database's time without a query.
    """

    access: Access
    credential: Credential = field(repr=False)
    access_expires_at: datetime | None
    clock: Callable[[], datetime]
    active: dict[TokenKind, datetime] = field(default_factory=dict)
    ended: set[TokenKind] = field(default_factory=set)
    outlived_at: datetime | None = None

    def recall(self, noted: dict[str, Any]) -> None:
        """Take up the evidence that ``noted`` returned in an earlier run (``{}``: there is none)."""
        self.active |= {
            TokenKind(kind): datetime.fromisoformat(moment) for kind, moment in noted.get("active", {}).items()
        }
        self.ended |= {TokenKind(kind) for kind in noted.get("ended", ())}
        self.outlived_at = outlived_at(noted)

    def noted(self) -> dict[str, Any]:
        """Return the evidence, JSON-ready: ``active`` maps a kind of token to an ISO time, ``ended`` lists kinds.

        ``outlived_at`` is there only if a token has outlived its revocation.
        """
        return {
            "active": {kind: moment.isoformat() for kind, moment in self.active.items()},
            "ended": sorted(self.ended),
        } | ({"outlived_at": self.outlived_at.isoformat()} if self.outlived_at else {})

    def look_before(self) -> None:
        """Try the tokens before the revocation, until one is found alive. HTTP."""
        for kind in self._askable():
            if self._try(kind) is ProbeVerdict.ALIVE:
                return

    def look_after(self, *, is_promised: bool) -> Finding:
        """Try all tokens after the revocation, and return what that proves. HTTP.

        ``is_promised``: the provider said yes to the revocation.
        """
        is_open, dead, verdicts = False, set(), set()
        for kind in self._askable():
            verdicts.add(verdict := self._try(kind))
            if verdict is ProbeVerdict.DEAD:
                dead.add(kind)
                if self._ended_by_us(kind):
                    self.ended.add(kind)
            elif kind is TokenKind.ACCESS or kind in self.active:
                is_open = True  # the token works, or its state is unknown
        if ProbeVerdict.ALIVE in verdicts:
            self.outlived_at = self.outlived_at or (self.clock() if is_promised else None)
        elif verdicts == {ProbeVerdict.DEAD}:
            self.outlived_at = None
        if is_open:
            return "open"
        if self.ended:
            return "proved"
        lasting = TokenKind.ACCESS if self.credential.refresh_token is None else TokenKind.REFRESH
        return "dead" if lasting in dead else "open"

    def _ended_by_us(self, kind: TokenKind) -> bool:
        seen_at, now = self.active.get(kind), self.clock()
        if seen_at is None or now - seen_at > SOON:
            return False
        return kind is TokenKind.REFRESH or self.access_expires_at is None or self.access_expires_at > now + MARGIN

    def _askable(self) -> Iterable[TokenKind]:
        """Yield the kinds of token that can be tried at the provider, the refresh token first."""
        capabilities = self.access.capabilities
        if capabilities.introspects and self.credential.refresh_token is not None:
            yield TokenKind.REFRESH
        runs = self.access_expires_at is None or self.access_expires_at > self.clock()
        if runs and self.credential.access_token is not None and (capabilities.introspects or capabilities.probes):
            yield TokenKind.ACCESS

    def _try(self, kind: TokenKind) -> ProbeVerdict:
        strategy, target, asked_at = self.access.strategy, self.access.target, self.clock()
        try:
            if self.access.capabilities.introspects:
                verdict = strategy.introspect(target, self.credential, kind=kind).verdict
            else:
                verdict = strategy.probe(target, self.credential).verdict
        except ProviderError:
            verdict = ProbeVerdict.UNAVAILABLE
        if verdict is ProbeVerdict.ALIVE:
            self.active[kind] = asked_at
        return verdict
