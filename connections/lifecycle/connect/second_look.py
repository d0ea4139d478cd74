"""Second look: try a fresh credential again before believing that the provider refuses it.

A provider copies a new credential to many servers, and the first call may reach a server that does not have it yet.
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

# No further look begins after this: the caller that waits for the answer has a deadline of its own.
_LOOK_WITHIN_SECONDS = 25.0


def look_again(ask: Callable[[], _T], *, pauses: Sequence[float], began: float) -> _T:
    """Return what ``ask`` returns. Where ``ask`` raises ``GrantRejected``, call it again after each of ``pauses``.

    ``pauses`` are in seconds; ``began`` is when the whole exchange began, by ``time.monotonic()``. Sleeps, so neither a
    transaction nor a database connection may be open. Raises what ``ask`` raises last, and ``ProviderUnavailable``
    where no time was left for a second look: the refusal is then neither believed nor dismissed.
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
    """Probe a fresh credential, and probe it again where it is refused. HTTP; sleeps as ``look_again`` does.

    The verdict is never DEAD: raises ``GrantRejected`` after the last look, and ``ProviderUnavailable`` where the
    provider refused the credential once and then could not answer the next probe.
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
