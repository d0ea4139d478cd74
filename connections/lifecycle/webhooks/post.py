"""One request to a webhook endpoint, and what came of it. HTTP, and no database.

The address is judged anew at each request (``providers.egress``): public, https, no redirect. Nothing of an answer is
kept or shown but its status: it may hold whatever its sender likes, and whoever sets an endpoint's address must not
read with it what a server inside would tell.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from providers import egress, send_window
from providers.errors import NotSentInTime, ProviderError
from providers.oauth.classify import retry_after_seconds

TOTAL_SECONDS = 10.0
_LONGEST_RETRY_AFTER_SECONDS = 86_400.0
_GONE = 410
_USER_AGENT = "Latchkey-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request. ``status`` is None where no answer came; ``error`` is our sentence, "" for a success.

    ``retry_after_seconds`` is what the answer asked for, up to a day; ``seconds`` is how long it took.
    """

    status: int | None
    error: str
    seconds: float
    retry_after_seconds: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has the event: any 2xx says so."""
        return not self.error

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing more."""
        return self.status == _GONE


def post(url: str, body: bytes, headers: Mapping[str, str], *, leave_by: float) -> Outcome | None:
    """Send ``body`` and return the outcome; None where it could not leave by ``leave_by`` (``time.monotonic()``).

    Blocks up to 10 s, whatever the server does. Raises nothing for the server's sake.
    """
    began = time.monotonic()
    sent = {"Content-Type": "application/json", "User-Agent": _USER_AGENT, **headers}
    with send_window.open_until(leave_by, others_by=leave_by):
        try:
            answer = egress.request(
                "POST", url, headers=sent, content=body, total_seconds=TOTAL_SECONDS, is_enough=_head_alone
            )
        except NotSentInTime:
            return None
        except ProviderError as error:
            status = error.evidence.status
            # The head has said it: what is wrong with the body does not matter.
            told = "" if status is not None and 200 <= status < 300 else error.evidence.detail
            return Outcome(status, told[:200], time.monotonic() - began)
    waits = retry_after_seconds(answer.headers, longest_seconds=_LONGEST_RETRY_AFTER_SECONDS)
    is_taken = 200 <= answer.status < 300
    told = "" if is_taken else f"The receiver answered with status {answer.status}."
    return Outcome(answer.status, told, time.monotonic() - began, waits)


def _head_alone(_: str) -> Callable[[bytes], bool]:
    return lambda part: True
