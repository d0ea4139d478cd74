"""Lists of keys that are in files: each process follows a file that changes, so that keys rotate without a restart.

What a file says is in force once it is whole, fits the other lists and lacks no key that is still needed. Until then
the keys before stay in force, and ``problem`` says why; the log, ``/readyz`` and ``manage.py doctor`` repeat it.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import overload

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from config.given import file_of, given_text, reason_of
from connections.access import held_keks
from connections.vault.keyring import KeyringError, check_separate_roots, parse_keyring
from connections.vault.signing import parse_signing_keys

LOOKS_EVERY_SECONDS = 5.0
# A file that changed more recently may not be whole yet.
_SETTLES_SECONDS = 1.0
_Stamp = tuple[int, int, int]
_Lists = dict[str, tuple[str, ...]]
# Says why keys of the lists before, which those after lack, have to stay; "" where they may go.
StillNeeded = Callable[[_Lists, _Lists], str]
# Is told the first key of FERNET_KEYS, under which this process stores what is new.
TellOfFirst = Callable[[str], None]

logger = structlog.get_logger(__name__)


class KeyFiles:
    """The lists of keys in force, and the files that some of them follow. May be used by many threads at once."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key
        self._lists: _Lists = {}
        self._paths: dict[str, Path] = {}
        self._stamps: dict[str, _Stamp] = {}
        self._looking = threading.Lock()
        self._due_at = time.monotonic() + LOOKS_EVERY_SECONDS
        self._still_needed: StillNeeded | None = None
        self._dropping: _Dropping | None = None
        self._tell_of_first: TellOfFirst | None = None
        self._telling: _Telling | None = None
        self.problem = ""

    def ask_before_dropping(self, still_needed: StillNeeded) -> None:
        """Have ``still_needed`` say of keys that are gone from their files why they have to stay, if so."""
        self._still_needed = still_needed

    def tell_of_first(self, tell: TellOfFirst) -> None:
        """Have ``tell`` told of the first key of ``FERNET_KEYS``, now and whenever another one is."""
        self._tell_of_first = tell

    def keys_of(self, name: str, given: Sequence[str]) -> Sequence[str]:
        """Return the keys of the setting ``name``, following its file if it has one. Reads the file.

        Raises ``ImproperlyConfigured``. Whether the keys are any good is for the caller to check, once all are known.
        """
        self._lists[name] = tuple(key.strip() for key in given)
        path = file_of(name)
        if path is None:
            return list(self._lists[name])
        try:
            self._stamps[name] = _stamp(path)
            self._lists[name] = _entries(path)
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {reason_of(error)}.") from None
        self._paths[name] = path
        return KeyList(self, name)

    @property
    def followed(self) -> frozenset[str]:
        """The settings that come from files."""
        return frozenset(self._paths)

    def current(self, name: str) -> tuple[str, ...]:
        """Return the keys of ``name`` that are in force. Looks at the files at most every few seconds."""
        if time.monotonic() >= self._due_at:
            self.look()
        return self._lists[name]

    def look(self) -> bool:
        """Look at the files now. Return whether other keys are in force afterwards than before the call.

        A thread that finds another one looking goes on with the keys that are in force.
        """
        if not self._paths or not self._looking.acquire(blocking=False):
            return False
        try:
            changed = self._look()
            self._say_first()
            return changed
        finally:
            self._due_at = time.monotonic() + LOOKS_EVERY_SECONDS
            self._looking.release()

    def _look(self) -> bool:
        lists, stamps = dict(self._lists), dict(self._stamps)
        for name, path in self._paths.items():
            try:
                stamps[name] = _stamp(path)
                if stamps[name] == self._stamps[name]:
                    continue
                if 0 <= time.time() - stamps[name][0] / 1e9 < _SETTLES_SECONDS:
                    return False
                lists[name] = _entries(path)
            except (OSError, UnicodeDecodeError) as error:
                self._tell(f"{name}_FILE cannot be read: {reason_of(error)}.")
                return False
        try:
            self._check(lists)
            self._wait_for_services(lists["KEK_KEYS"])
            if not self._may_drop(lists):
                return False
        except KeyringError as error:
            self._tell(str(error))
            return False
        self._tell("")
        self._stamps = stamps
        changed = sorted(name for name in lists if lists[name] != self._lists[name])
        if changed:
            self._lists = lists
            logger.info("key_files_followed", settings=changed)
        return bool(changed)

    def _check(self, lists: _Lists) -> None:
        keyring, signing = parse_keyring(lists["KEK_KEYS"]), parse_signing_keys(lists["AUDIT_KEYS"])
        check_separate_roots(
            fernet_keys=lists["FERNET_KEYS"],
            keyring=keyring,
            secret_key=self._secret_key,
            audit_seeds=signing.seeds,
        )
        for name, taken in (
            ("KEK_KEYS", keyring.ids_with_other_material(parse_keyring(self._lists["KEK_KEYS"]))),
            ("AUDIT_KEYS", signing.ids_with_other_material(parse_signing_keys(self._lists["AUDIT_KEYS"]))),
        ):
            if taken:
                raise KeyringError(f"{name} has another key under the id {taken[0]!r}: give a new key a new id.")

    def _wait_for_services(self, entries: tuple[str, ...]) -> None:
        """Have new keys unwrapped that key management services have wrapped. Raises ``KeyringError`` until they are."""
        before = parse_keyring(self._lists["KEK_KEYS"]).wrapped()
        missing = [kek for kek in parse_keyring(entries).wrapped() if kek not in before and not held_keks.holds(kek)]
        if missing:
            held_keks.fetch_soon(missing)
            named = f"KEK_KEYS has {missing[0].id!r}, which {missing[0].service} has not unwrapped yet"
            raise KeyringError(f"{named}: `manage.py doctor` asks it, and says why.")

    def _may_drop(self, lists: _Lists) -> bool:
        """Whether the keys that ``lists`` lack may be dropped; False while that is not known yet.

        It is asked in a thread, since the database is asked, and whoever looks may be in a transaction. Raises
        ``KeyringError`` where a key has to stay.
        """
        if self._still_needed is None or all(set(keys) <= set(lists[name]) for name, keys in self._lists.items()):
            self._dropping = None
            return True
        asked = self._dropping
        if asked is None or asked.after != lists or not (asked.is_alive() or asked.is_answered):
            self._dropping = _Dropping(self._still_needed, dict(self._lists), lists)
            self._dropping.start()
            return False
        if not asked.is_answered:
            return False
        self._dropping = None  # the next look asks anew
        if asked.answer:
            raise KeyringError(f"{asked.answer}.")
        return True

    def _say_first(self) -> None:
        """Say in a thread which key is first, unless that was said; what failed is said again at the next look."""
        first = next(iter(self._lists.get("FERNET_KEYS", ())), "")
        said = self._telling
        if self._tell_of_first is None or (said is not None and (said.is_alive() or said.has_told == first)):
            return
        self._telling = _Telling(self._tell_of_first, first)
        self._telling.start()

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            logger.error("key_files_not_followed", problem=problem)
        self.problem = problem


class _Dropping(threading.Thread):
    """Asks whether keys may be dropped. ``answer`` says why not, once ``is_answered``."""

    def __init__(self, still_needed: StillNeeded, before: _Lists, after: _Lists) -> None:
        super().__init__(name="key-files", daemon=True)
        self.after = after
        self.answer = ""
        self.is_answered = False
        self._ask = partial(still_needed, before, after)

    def run(self) -> None:
        try:
            self.answer = self._ask()
        except Exception as error:  # noqa: BLE001 (whatever the database has: a key that is not known to be free stays)
            self.answer = f"Whether keys may go cannot be asked ({type(error).__name__})"
        finally:
            connections.close_all()
        self.is_answered = True


class _Telling(threading.Thread):
    """Tells which key is first. ``has_told`` is that key, once it is told."""

    def __init__(self, tell: TellOfFirst, first: str) -> None:
        super().__init__(name="first-key", daemon=True)
        self.has_told = ""
        self._first = first
        self._tell = tell

    def run(self) -> None:
        try:
            self._tell(self._first)
            self.has_told = self._first
        except Exception as error:  # noqa: BLE001 (whatever the database has: it is told at the next look)
            logger.warning("first_key_not_told", error=type(error).__name__)
        finally:
            connections.close_all()


class KeyList(Sequence[str]):
    """The keys of one setting, as they are in force each time that somebody looks. Its repr shows none."""

    def __init__(self, files: KeyFiles, name: str) -> None:
        self._files = files
        self._name = name

    def __repr__(self) -> str:
        return f"KeyList({self._name}, {len(self)} keys)"

    def __iter__(self) -> Iterator[str]:
        return iter(self._files.current(self._name))

    def __len__(self) -> int:
        return len(self._files.current(self._name))

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._files.current(self._name)[index]


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _entries(path: Path) -> tuple[str, ...]:
    """Return the keys in a file: one a line, or separated by commas."""
    return tuple(key.strip() for key in re.split(r"[,\n]", given_text(path)) if key.strip())
