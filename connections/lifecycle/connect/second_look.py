"""Second look: a credential that was obtained a moment ago and is refused is tried again before that is believed.

Where a provider copies what it issues to many servers, the first call may reach one that has not heard of it yet.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from providers.catalog.resolve import Target
from providers.errors import Evidence, GrantRejected, ProviderUnavailable
from providers.strategies.base import Strategy
from providers.values import Credential, ProbeResult
from providers.vocabulary import ProbeVerdict

_T = TypeVar("_T")

# One pause before each further look.
ISSUED_PAUSES_SECONDS = (1.0, 2.0)
TYPED_PAUSES_SECONDS = (1.0,)  # a typing error is the likelier cause

# Later than this, no other look is begun: whoever waits for the answer has a deadline of their own.
_LOOK_WITHIN_SECONDS = 25.0


def look_again(ask: Callable[[], _T], *, pauses: Sequence[float], began: float) -> _T:
    """Return what ``ask`` returns; where it raises ``GrantRejected``, ask again after each of ``pauses`` (seconds).

    ``began`` is when the whole work began, by ``time.monotonic()``. Waits: neither a transaction nor a database
    connection may be open. Raises what ``ask`` raises last, and ``ProviderUnavailable`` where there was no time for a
    second look: nothing is decided then.
    """
    for pause in pauses:
        try:
            return ask()
        except GrantRejected as refusal:
            if time.monotonic() + pause > began + _LOOK_WITHIN_SECONDS:
                status = refusal.evidence.status
                raise ProviderUnavailable(
                    Evidence("The provider refused what it had just given, and was too slow to be asked again.", status)
                ) from None
        time.sleep(pause)
    return ask()


def probe_fresh(
    strategy: Strategy, target: Target, credential: Credential, *, pauses: Sequence[float], began: float
) -> ProbeResult:
    """Probe a credential that was just obtained, and again where it is refused. HTTP; waits as ``look_again`` does.

    The verdict is never DEAD: raises ``GrantRejected`` after the last look, and ``ProviderUnavailable`` where the
    provider refused it once and could not answer when it was asked again.
    """
    was_refused = False

    def ask() -> ProbeResult:
        nonlocal was_refused
        found = strategy.probe(target, credential)
        if found.verdict is ProbeVerdict.DEAD:
            was_refused = True
            raise GrantRejected(Evidence("The provider refused the credential that it had just given.", found.status))
        if was_refused and found.verdict is ProbeVerdict.UNAVAILABLE:
            raise ProviderUnavailable(
                Evidence(found.detail, found.status), retry_after_seconds=found.retry_after_seconds
            )
        return found

    return look_again(ask, pauses=pauses, began=began)
