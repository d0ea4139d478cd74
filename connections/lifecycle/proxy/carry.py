"""Carry: send a caller's request to the provider, and bring the answer back, part by part, without holding a thread.

The use case of the room, in an event loop of the web processes. The database is asked in threads, in short queries:
once before the first byte leaves, and once when all is over.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import structlog

from connections.lifecycle.proxy.answer import Answer, answer_of
from connections.lifecycle.proxy.caller_body import CallerBody, CallerLeft
from connections.lifecycle.proxy.order import ProxyOrder
from connections.lifecycle.proxy.permit import (
    NeedsBody,
    NeedsExchange,
    NeedsRefresh,
    Permit,
    exchange_subject,
    may_follow,
    permit,
)
from connections.lifecycle.proxy.record_end import has_just_been_refreshed, record_end
from connections.lifecycle.proxy.request import request_of
from connections.lifecycle.proxy.turns import Turns, caller_of
from connections.lifecycle.proxy.watch import Watch
from connections.lifecycle.refresh.claim import Need, RefreshReport
from connections.lifecycle.refresh.waits import Refreshes, Run
from connections.lifecycle.throttle.bulkhead import Bulkhead
from connections.refusals import (
    AnswerRefused,
    AppMisconfigured,
    CallerTooSlow,
    PolicyDenied,
    ProviderDown,
    ProviderLate,
    Refusal,
)
from providers.errors import (
    CertificateRefused,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    TargetRefused,
)
from providers.proxying.exchange import Exchange, Head, Late
from providers.proxying.paths import path_below
from providers.proxying.redaction import Redactor
from providers.proxying.unpacking import CodingRefused

logger = structlog.get_logger(__name__)

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_FOLLOWED = ("GET", "HEAD")
_LONGEST_LOCATION = 4096

_Found = Permit | NeedsRefresh | NeedsBody | NeedsExchange


@dataclass(slots=True)
class _Call:
    """How far one call has come. ``outcome`` is the word for the audit trail."""

    began: float = field(default_factory=time.monotonic)
    exchange: Exchange | None = None
    answered: int | None = None
    outcome: str = "broken_off"
    repeated: bool = False
    redirects: int = 0
    answer: Answer | None = None

    @property
    def has_acted(self) -> bool:
        """Whether the provider may have done something: a request reached it, and was not turned away for its rate."""
        if self.answered == HTTPStatus.TOO_MANY_REQUESTS and not self.redirects:
            return False
        return self.answered is not None or (self.exchange is not None and self.exchange.has_begun)

    def facts(self) -> dict[str, Any]:
        """Return what the audit trail says of the call's end."""
        sent, received = (0, 0) if self.exchange is None else (self.exchange.sent, self.exchange.received)
        facts: dict[str, Any] = {"status": self.answered, "sent": sent, "received": received}
        facts["seconds"] = round(time.monotonic() - self.began, 3)
        if self.redirects:
            facts["redirects"] = self.redirects
        if self.repeated:
            facts["repeated"] = True
        if self.answer is not None and self.answer.redactor.found:
            facts["secret_repeated"] = True
        return facts


class Carrier:
    """Carries the calls of one event loop.

    ``run`` runs short queries in threads that no vend uses, ``run_exchange`` what calls a
    provider's authorization server; ``refreshes`` are those of the event loop, ``turns`` share
    a provider's limit, ``places`` are the calls that may be under way at once, shared among provider apps, of each
    among its API clients, and of each among those for whom it calls.
    """

    def __init__(
        self, *, run: Run, run_exchange: Run, refreshes: Refreshes, watch: Watch, turns: Turns, places: Bulkhead
    ) -> None:
        self._run = run
        self._run_exchange = run_exchange
        self._turns = turns
        self._refreshes = refreshes
        self._watch = watch
        self._places = places

    @asynccontextmanager
    async def carry(self, order: ProxyOrder, body: CallerBody) -> AsyncIterator[Answer]:
        """Send the request, and yield the answer as soon as it begins; read its parts within the block.

        The exchange ends with the block, however far it has come, and the audit trail says how it ended. Raises the
        refusals of the proxy, also within the block, and ``CallerLeft``.
        """
        order, permitted = await self._permitted(order, body)
        call = _Call()
        with self._watch.over(permitted, key_hash=order.use.key_hash) as watched:
            try:
                tenant, client, user = caller_of(order, permitted)
                with self._places.place(*permitted.places, client, (tenant, user)):
                    call.answer = await self._answer(order, permitted, body, call)
                    call.answered = call.answer.status
                    yield call.answer
                call.outcome = "answered"
            except asyncio.CancelledError:
                call.outcome = "caller_left"
                if (stopped := watched.stopped()) is None:
                    raise
                call.outcome = stopped.code
                raise stopped from None
            except CallerLeft:
                call.outcome = "caller_left"
                raise
            except (Refusal, ProviderError, CodingRefused, zlib.error) as error:
                refusal = _refusal_of(error)
                call.outcome = refusal.code
                raise refusal from None
            finally:
                if call.exchange is not None:
                    call.exchange.close()
                await asyncio.shield(self._end(order, permitted, call))

    async def _end(self, order: ProxyOrder, permitted: Permit, call: _Call) -> None:
        facts = call.facts()
        if "secret_repeated" in facts:
            logger.warning("provider_repeats_secret", connection=str(permitted.connection.id))
        await self._run(partial(record_end, has_acted=call.has_acted), order, permitted, call.outcome, facts)

    async def _permitted(self, order: ProxyOrder, body: CallerBody) -> tuple[ProxyOrder, Permit]:
        """Return what may be sent: the order, with the body's digest where that counts, and the permit."""
        order = replace(order, body_sha256="" if body.is_empty else None)
        found: _Found = await self._run(permit, order)
        if isinstance(found, NeedsBody):
            order = replace(order, body_sha256=await body.digest())
            found = await self._run(permit, order)
        if isinstance(found, NeedsRefresh):
            report = await self._refresh(order, found.places, found.need)
            found = await self._run(permit, order, report)
        elif isinstance(found, NeedsExchange):
            held = await self._run_exchange(exchange_subject, order)
            found = await self._run(permit, order, None, None, held)
        if not isinstance(found, Permit):
            raise TypeError("A call that is asked again has a final answer.")
        return order, found

    async def _refresh(self, order: ProxyOrder, places: Any, need: Need) -> RefreshReport:
        return await self._refreshes.refresh_and_wait(
            order.use.connection_id,
            places=places,
            need=need,
            min_ttl_seconds=order.use.min_ttl_seconds,
            wait_seconds=order.use.wait_seconds,
        )

    async def _answer(self, order: ProxyOrder, permitted: Permit, body: CallerBody, call: _Call) -> Answer:
        """Send the request until there is an answer to give: once more after a refresh, and where it is led on."""
        path = f"{order.path}?{order.query}" if order.query else order.path
        way = 0
        while True:
            outgoing = permitted.outgoing
            try:
                async with asyncio.timeout(outgoing.limits.total_seconds):  # a body that is signed is awaited here
                    request, parts = await request_of(
                        order,
                        outgoing,
                        outgoing.sendings[way],
                        body,
                        path=path,
                        any_method=permitted.any_method,
                    )
            except TimeoutError:
                raise CallerTooSlow("The request's body took too long.") from None
            if call.exchange is not None:
                call.exchange.close()
            await self._turns.wait(order, permitted)
            call.exchange = Exchange(request, parts, limits=order.within(outgoing.limits, now=time.monotonic()))
            head = await call.exchange.begin()
            call.answered = head.status
            await self._turns.note(permitted, head)
            if head.status == HTTPStatus.UNAUTHORIZED:
                can_repeat = order.is_repeatable and body.can_be_sent_again
                if can_repeat and way + 1 < len(outgoing.sendings):
                    way += 1
                    continue
                if not call.repeated and (renewed := await self._renewed(order, permitted, can_repeat)) is not None:
                    call.repeated, permitted, way = True, renewed, 0
                    continue
            if head.status in _REDIRECTS:
                may_repeat = order.method in _FOLLOWED and (body.is_empty or body.can_be_sent_again)
                led = await self._led_to(order, permitted, head, request.url, call, path, may_repeat=may_repeat)
                if led is not None:
                    path = led
                    continue
            return answer_of(head, call.exchange, outgoing, url=request.url, here=order.address_of)

    async def _renewed(self, order: ProxyOrder, permitted: Permit, can_repeat: bool) -> Permit | None:
        """Have the refused credential refreshed. Return what to repeat the call with, or None to pass the 401 on."""
        if not permitted.is_refreshable or permitted.version_id is None:
            return None
        if await self._run(has_just_been_refreshed, permitted.version_id):
            return None
        report = await self._refresh(order, permitted.places, Need(instead_of=permitted.version_id))
        if not can_repeat:
            return None
        try:
            renewed: _Found = await self._run(permit, order, report, permitted.audit_id)
        except Refusal:
            return None  # its audit row says why; the caller sees the provider's own answer
        if not isinstance(renewed, Permit) or renewed.version_id == permitted.version_id:
            return None
        return renewed

    async def _led_to(
        self, order: ProxyOrder, permitted: Permit, head: Head, url: str, call: _Call, path: str, *, may_repeat: bool
    ) -> str | None:
        """Return the path to which a redirect of ``path`` leads, None where the caller gets the redirect itself.

        Only GET and HEAD are led on, and only below the base URL, where the caller may go. Raises ``AnswerRefused`` for
        a redirect anywhere else: a client that followed it would carry what it holds to a stranger.
        """
        location = next((value for name, value in head.headers if name == "location"), "")
        base_url, slashes = permitted.outgoing.shown.base_url, permitted.outgoing.limits.encoded_slashes
        to = path_below(base_url, urljoin(url, location), encoded_slashes=slashes) if location else None
        if to is None:
            raise AnswerRefused(
                "The provider redirects to an address outside of its base URL. If you trust it, fetch it yourself,"
                " without a credential.",
                reason="redirect",
                **_elsewhere(urljoin(url, location), permitted),
            )
        if not may_repeat:
            return None
        call.redirects += 1
        if call.redirects > _MOST_REDIRECTS:
            raise AnswerRefused("The provider redirects without an end.", reason="redirect")
        led_from = path.partition("?")[0]
        if not await self._run(partial(may_follow, led_from=led_from), order, permitted, to):
            raise PolicyDenied("The provider redirects to a path that this caller may not use.", rule="redirect")
        return to


def _elsewhere(address: str, permitted: Permit) -> dict[str, Any]:
    """Return what a caller is told of a redirect that is not followed: ``redirects_to``, if it is plain https."""
    is_plain = address.startswith("https://") and address.isascii() and address.isprintable()
    if not is_plain or "@" in address.partition("://")[2].partition("/")[0] or len(address) > _LONGEST_LOCATION:
        return {}
    return {"redirects_to": Redactor(permitted.outgoing.attached.secrets).of_text(address)}


def _refusal_of(error: Exception) -> Refusal:
    """Return what a caller is told of a call that got no answer, or no whole one. No I/O."""
    match error:
        case Refusal():
            return error
        case Late():
            return ProviderLate(error.evidence.detail)
        case ProviderUnavailable():
            return ProviderDown(error.evidence.detail, retry_after_seconds=error.retry_after_seconds or 5)
        case CertificateRefused() | TargetRefused() | MisconfiguredProvider():
            return AppMisconfigured(error.evidence.detail)
        case CodingRefused():
            return AnswerRefused(str(error), reason="coding")
        case ProviderError():
            return AnswerRefused(error.evidence.detail, reason=error.code)
        case _:
            return AnswerRefused("The answer's content coding is damaged.", reason="coding")
