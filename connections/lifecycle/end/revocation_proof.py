"""Proof of a revocation: what shows that a grant is dead, and that it was alive until it was revoked.

RFC 7009's 200 shows nothing. A dead answer alone shows nothing either: an access token runs out, a refresh token is
replaced, and ``active: false`` is also the answer about a token of a kind that a server does not introspect (RFC 7662
§2.2). So tokens are tried before the revocation and after it; one that was alive and is dead, too soon to have run out,
is proof. Where the provider tells of refresh tokens, theirs is asked for first; elsewhere the access token has to stand
for the grant (RFC 7009 §2.1 asks a server to end both). A token that still works forbids any confirmation.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from connections.access.targets import Access
from providers.errors import ProviderError
from providers.values import Credential
from providers.vocabulary import ProbeVerdict, TokenKind

# Of one credential: nothing of it works and the revocation did that; nothing of it works, whyever; or neither is known.
Finding = Literal["proved", "dead", "open"]

# How long after a token was seen alive its death is put down to the revocation: nobody says when refresh tokens end.
SOON = timedelta(minutes=3)

# An access token that would have run out by now, give or take the clocks, proves nothing.
MARGIN = timedelta(seconds=25)


def is_proved(findings: Collection[Finding]) -> bool:
    """Whether the grant is dead by its revocation: none of its credentials works, and one at least was seen to end.

    The others may have been replaced before, as the tokens of a refresh are by the next one's.
    """
    return "proved" in findings and "open" not in findings


@dataclass(slots=True)
class Proof:
    """What is known of the tokens of one credential: when each was last seen alive, and which were seen to end.

    ``clock`` is the database's, asked without the database.
    """

    access: Access
    credential: Credential = field(repr=False)
    access_expires_at: datetime | None
    clock: Callable[[], datetime]
    active: dict[TokenKind, datetime] = field(default_factory=dict)
    ended: set[TokenKind] = field(default_factory=set)

    def recall(self, noted: dict[str, Any]) -> None:
        """Take up what ``noted`` returned in an earlier run."""
        self.active |= {
            TokenKind(kind): datetime.fromisoformat(moment) for kind, moment in noted.get("active", {}).items()
        }
        self.ended |= {TokenKind(kind) for kind in noted.get("ended", ())}

    def noted(self) -> dict[str, Any]:
        """Return what is known, for JSON."""
        return {
            "active": {kind: moment.isoformat() for kind, moment in self.active.items()},
            "ended": sorted(self.ended),
        }

    def look_before(self) -> None:
        """Try what the revocation is going to end: one token that is alive will do. Calls the provider."""
        for kind in self._askable():
            if self._try(kind) is ProbeVerdict.ALIVE:
                return

    def look_after(self) -> Finding:
        """Try all tokens again, and return what that shows of the revocation. Calls the provider."""
        is_open, dead = False, set()
        for kind in self._askable():
            verdict = self._try(kind)
            if verdict is ProbeVerdict.DEAD:
                dead.add(kind)
                if self._ended_by_us(kind):
                    self.ended.add(kind)
            elif kind is TokenKind.ACCESS or kind in self.active:
                is_open = True  # it works, or nobody knows
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
        """Yield the tokens of which the provider may know something, the refresh token first."""
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
