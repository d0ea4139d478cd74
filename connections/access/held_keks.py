"""Key-encryption keys that a key management service has wrapped: unwrapped once, and held in this process's memory.

So no vend waits for such a service, and its outage stops nothing in a process that runs. A process asks for its keys
when it starts; one thread asks again every five minutes whether each may still be used. A key that the service has
disabled or destroyed is dropped at once, and with it everything that it opens. One that could not be asked about stays
for a day. Nor does anybody else wait for a service, in a process that keeps its keys like this, or with rows locked: a
key that is not held is refused at once as one that is away, while a thread asks for it. A command waits. Nothing here
is in a database or a file.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from connections.vault.keyring import KEY_BYTES, KekAway, KeyringError, WrappedKek
from providers.custodians.asking import CustodianAway, CustodianError, CustodianRefuses
from providers.custodians.wrapping import KEY_SERVICES, Wrapped

ASKS_EVERY_SECONDS = 300.0
HOLDS_SECONDS = 86_400.0
TRIES_AGAIN_SECONDS = 30.0
_BEGINS_AGAIN_SECONDS = 5.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    material: bytes = field(repr=False)
    confirmed_at: float  # by the monotonic clock


@dataclass(frozen=True, slots=True)
class _Failed:
    error: CustodianError
    retry_at: float


class HeldKeks:
    """The keys that one process holds. May be used by many threads at once."""

    def __init__(self, *, holds_seconds: float = HOLDS_SECONDS) -> None:
        self._holds_seconds = holds_seconds
        self._held: dict[WrappedKek, _Held] = {}
        self._failed: dict[WrappedKek, _Failed] = {}
        self.begin_without_threads()

    def begin_without_threads(self) -> None:
        """Let nobody be asking: for a forked child, into which no thread of its parent comes along."""
        self._asking = threading.Lock()
        self._fetching: dict[WrappedKek, threading.Thread] = {}
        self._starting = threading.Lock()

    def open_kek(self, kek: WrappedKek, *, may_wait: bool = True) -> bytes:
        """Return the key: from memory, or else from its service, which takes seconds if it does not answer.

        Raises ``KeyringError``; after a failure that at once, for the next half a minute. Unless it ``may_wait`` also
        for a key that is not in memory, and has a thread ask for it.
        """
        try:
            return self._open(kek) if may_wait else self._open_at_once(kek)
        except CustodianError as error:
            kind = KekAway if isinstance(error, CustodianAway) else KeyringError
            raise kind(f"The KEK {kek.id!r} does not come from {kek.service}: {error}") from None

    def fault_of(self, kek: WrappedKek, *, anew: bool = False) -> CustodianError | None:
        """Open ``kek`` if it is not held, and return why it cannot be. ``anew``: even where it has just failed."""
        try:
            self._open(kek, anew=anew)
        except CustodianError as error:
            return error
        return None

    def holds(self, kek: WrappedKek) -> bool:
        """Whether it is in memory. No I/O."""
        return kek in self._held

    def fetch_soon(self, keks: Sequence[WrappedKek]) -> None:
        """Open ``keks`` in a thread of their own, those that no such thread is opening. Returns at once."""
        with self._starting:
            busy = {kek: thread for kek, thread in self._fetching.items() if thread.is_alive()}
            due = [kek for kek in keks if kek not in busy]
            if due:
                thread = threading.Thread(target=self._fetch, args=(due,), name="kek-fetch", daemon=True)
                thread.start()
                self._fetching = busy | dict.fromkeys(due, thread)

    def ask_again(self, keks: Sequence[WrappedKek]) -> None:
        """Ask whether each of ``keks`` may still be used, and forget all others. Asks for those that are not held."""
        with self._asking:
            self._held = {kek: held for kek, held in self._held.items() if kek in keks}
        for kek in keks:
            with self._asking:
                self._ask(kek)

    def _fetch(self, keks: Sequence[WrappedKek]) -> None:
        for kek in keks:
            self.fault_of(kek, anew=True)

    def _open_at_once(self, kek: WrappedKek) -> bytes:
        if (held := self._held.get(kek)) is not None:
            return held.material
        self._raise_if_failed(kek)
        self.fetch_soon([kek])
        raise CustodianAway("it is being asked for, try again in some seconds.")

    def _open(self, kek: WrappedKek, *, anew: bool = False) -> bytes:
        if (held := self._held.get(kek)) is not None:
            return held.material
        if not anew:
            self._raise_if_failed(kek)
        with self._asking:
            if (held := self._held.get(kek)) is not None:
                return held.material
            if not anew:
                self._raise_if_failed(kek)
            self._ask(kek)
        if (held := self._held.get(kek)) is not None:
            return held.material
        raise self._failed[kek].error

    def _raise_if_failed(self, kek: WrappedKek) -> None:
        if (failed := self._failed.get(kek)) is not None and time.monotonic() < failed.retry_at:
            raise failed.error

    def _ask(self, kek: WrappedKek) -> None:
        try:
            material = unwrap(kek)
        except CustodianError as error:
            self._fail(kek, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one key, the next ones are asked about
            self._fail(kek, CustodianAway(f"what is stored or answered is not to be read ({type(error).__name__})."))
            return
        if kek in self._failed:
            logger.info("kek_held_again", kek=kek.id, service=kek.service)
        self._held = self._held | {kek: _Held(material, time.monotonic())}
        self._failed = {other: failed for other, failed in self._failed.items() if other != kek}

    def _fail(self, kek: WrappedKek, error: CustodianError) -> None:
        now = time.monotonic()
        held = self._held.get(kek)
        is_over = held is not None and now - held.confirmed_at >= self._holds_seconds
        is_dropped = held is not None and (is_over or isinstance(error, CustodianRefuses))
        if is_dropped:
            self._held = {other: each for other, each in self._held.items() if other != kek}
        if is_dropped or kek not in self._failed:
            tell = logger.error if is_dropped or held is None else logger.warning
            tell("kek_dropped" if is_dropped else "kek_not_confirmed", kek=kek.id, service=kek.service, why=str(error))
        # A key that is asked for by every vend is asked for twice a minute, and by one of them.
        self._failed = self._failed | {kek: _Failed(error, now + TRIES_AGAIN_SECONDS)}


def unwrap(kek: WrappedKek) -> bytes:
    """Ask the service of ``kek`` for the key. Raises ``CustodianAway`` and ``CustodianRefuses``. Blocks for seconds."""
    material = KEY_SERVICES[kek.service].unwrap(Wrapped(kek.name, kek.ciphertext), binding=kek.id)
    if len(material) != KEY_BYTES:
        raise CustodianRefuses(f"what it unwraps has {len(material)} bytes instead of {KEY_BYTES}.")
    return material


def new_kek(kek_id: str, *, service: str, name: str) -> WrappedKek:
    """Return a fresh random KEK, wrapped by the key ``name`` of ``service``, after a look whether that unwraps it.

    Raises ``CustodianAway`` and ``CustodianRefuses``. Blocks for seconds.
    """
    material = secrets.token_bytes(KEY_BYTES)
    wrapped = KEY_SERVICES[service].wrap(name, material, binding=kek_id)
    kek = WrappedKek(kek_id, service, wrapped.name, wrapped.ciphertext)
    if unwrap(kek) != material:
        raise CustodianRefuses("what it unwraps is not what it wrapped.")
    return kek


def check_service(kek: WrappedKek) -> None:
    """Ask the service of ``kek`` for it, and to wrap and unwrap another. Raises as ``new_kek``."""
    unwrap(kek)
    new_kek(kek.id, service=kek.service, name=kek.name)


def version_of(kek: WrappedKek) -> str:
    """Return which version of the service's key has wrapped ``kek``, or "" where it does not tell. No I/O."""
    return KEY_SERVICES[kek.service].version_of(Wrapped(kek.name, kek.ciphertext))


_keks = HeldKeks()
open_kek, fault_of, holds = _keks.open_kek, _keks.fault_of, _keks.holds
fetch_soon, ask_again = _keks.fetch_soon, _keks.ask_again


@dataclass(slots=True)
class _Keeping:
    """``in_force`` is what the keys are that the thread ``keeper`` looks after."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    keeper: threading.Thread | None = None
    in_force: Callable[[], Sequence[WrappedKek]] | None = None


_keeping = _Keeping()


def is_kept() -> bool:
    """Whether a thread of this process keeps its keys (``keep``). No I/O."""
    return _keeping.keeper is not None


def _in_child() -> None:
    in_force, _keeping.keeper, _keeping.guard = _keeping.in_force, None, threading.Lock()
    _keks.begin_without_threads()
    if in_force is not None:
        _start(in_force)


os.register_at_fork(after_in_child=_in_child)


def keep(in_force: Callable[[], Sequence[WrappedKek]], *, primary_id: Callable[[], str], waits_seconds: float) -> None:
    """Hold the keys that are ``in_force``, and see to it in a thread from here on that they may still be used.

    Waits until the one of ``primary_id`` is held or refused, but not longer than ``waits_seconds``, and a call. Raises
    ``KeyringError`` if that one is wrapped and not held by then: a process that cannot store anything must not run. The
    others are asked for in a thread. Without wrapped keys this starts a thread, and nothing else.
    """

    def primary() -> WrappedKek | None:
        return next((kek for kek in in_force() if kek.id == primary_id()), None)

    until = time.monotonic() + waits_seconds
    while (kek := primary()) is not None:
        is_away = isinstance(fault_of(kek, anew=True), CustodianAway)
        if not is_away or time.monotonic() + _BEGINS_AGAIN_SECONDS > until:
            open_kek(kek)
            break
        time.sleep(_BEGINS_AGAIN_SECONDS)
    fetch_soon(in_force())
    _start(in_force)


def _start(in_force: Callable[[], Sequence[WrappedKek]]) -> None:
    def ask_for_ever() -> None:
        while True:
            time.sleep(ASKS_EVERY_SECONDS)
            try:
                ask_again(in_force())
            except Exception as error:  # noqa: BLE001 - without this thread a key that was withdrawn would stay in use
                logger.error("kek_keeper_failed", error=type(error).__name__)

    with _keeping.guard:
        if _keeping.keeper is None or not _keeping.keeper.is_alive():
            _keeping.in_force = in_force
            _keeping.keeper = threading.Thread(target=ask_for_ever, name="kek-keeper", daemon=True)
            _keeping.keeper.start()
