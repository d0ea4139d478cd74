"""The body of a caller's request: taken as it comes, and kept where it is small, so that it can be sent once more."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

from connections.refusals import CallerTooSlow, RequestTooLarge

KEPT_BYTES = 65_536
_DIGEST_SECONDS = 60.0


class CallerLeft(Exception):
    """The caller went away before its answer was complete."""


class CallerBody:
    """A body that ``next_part`` brings: bytes, then None at its end. ``length`` is its length, None if it is not told.

    ``next_part`` raises ``CallerLeft``. ``has_ended`` is set when no part will be asked for any more.
    """

    def __init__(self, next_part: Callable[[], Awaitable[bytes | None]], *, length: int | None) -> None:
        self.length = length
        self.has_ended = asyncio.Event()
        self._next_part = next_part
        self._kept: list[bytes] | None = []
        self._taken = 0
        if length == 0:
            self.has_ended.set()

    @property
    def is_empty(self) -> bool:
        """Whether the request says that it has no body."""
        return self.length == 0

    @property
    def can_be_sent_again(self) -> bool:
        """Whether all of it is kept."""
        return self._kept is not None and self.has_ended.is_set()

    async def parts(self, *, most_bytes: int, idle_seconds: float) -> AsyncIterator[bytes]:
        """Yield all of it: first what is kept, then what comes.

        Raises ``RequestTooLarge`` beyond ``most_bytes``, ``CallerTooSlow`` where nothing comes for ``idle_seconds``,
        and ``CallerLeft``.
        """
        self._check_size(max(self.length or 0, self._taken), most_bytes)
        if self._kept is None:
            raise TypeError("The beginning of this body is not kept.")
        for part in tuple(self._kept):
            yield part
        while (came := await self._come(idle_seconds)) is not None:
            self._check_size(self._taken, most_bytes)
            self._keep(came)
            if came:
                yield came

    async def beginning(self, *, idle_seconds: float) -> bytes:
        """Return the first 64 KiB, or all of it if that is less; it is kept, and sent later.

        ``has_ended`` says whether it is all. Raises ``CallerTooSlow`` and ``CallerLeft``.
        """
        if self._kept is None:
            raise TypeError("The beginning of this body is not kept.")
        while self._taken <= KEPT_BYTES and (came := await self._come(idle_seconds)) is not None:
            self._kept.append(came)
        return b"".join(self._kept)

    async def _come(self, idle_seconds: float) -> bytes | None:
        """Return the next part, None at the end, and count it."""
        if self.has_ended.is_set():
            return None
        try:
            async with asyncio.timeout(idle_seconds):
                came = await self._next_part()
        except TimeoutError:
            raise CallerTooSlow("The request's body stood still for too long.") from None
        if came is None:
            self.has_ended.set()
            return None
        self._taken += len(came)
        return came

    async def whole(self, *, most_bytes: int, idle_seconds: float) -> bytes:
        """Return all of it. Raises as ``parts``; ``most_bytes`` must be what may be held in memory."""
        return b"".join([part async for part in self.parts(most_bytes=most_bytes, idle_seconds=idle_seconds)])

    async def digest(self) -> str:
        """Read all of it, and return its SHA-256 in hexadecimal, "" for nothing; it is kept, and sent later.

        Raises ``RequestTooLarge`` beyond what is kept, ``CallerTooSlow`` and ``CallerLeft``.
        """
        try:
            async with asyncio.timeout(_DIGEST_SECONDS):
                read = await self.whole(most_bytes=KEPT_BYTES, idle_seconds=_DIGEST_SECONDS)
        except TimeoutError:
            raise CallerTooSlow("The request's body took too long.") from None
        return hashlib.sha256(read).hexdigest() if read else ""

    def _keep(self, part: bytes) -> None:
        if self._kept is not None:
            self._kept.append(part)
            if self._taken > KEPT_BYTES:
                self._kept = None

    def _check_size(self, size: int, most_bytes: int) -> None:
        if size > most_bytes:
            raise RequestTooLarge(f"The request's body may have {most_bytes} bytes at most.")
