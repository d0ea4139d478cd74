"""The request log: what the sandbox was asked, what it did, and when.

Owns the numbered entries that tests and drills use as their oracle. An entry appears when a request starts and is
completed before the last byte of the answer leaves, so a client that waits for its answer can never seem to overlap
with itself; two entries that overlap were in flight at once. Entries name tokens by fingerprint only.

With a state folder the entries are appended to a file, one JSON line at the start and one at the end of each request,
written without buffering: they, and the numbering, outlive a kill -9.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

_KEPT = 200_000


@dataclass(slots=True)
class Entry:
    """One request. ``*_presented`` and ``*_issued`` are fingerprints; times are wall-clock seconds since the epoch.

    ``status`` stays None when the connection was closed without an answer. ``client_closed`` says that the client had
    hung up before it was answered. ``outcome`` is what the server did (``rotated``, ``refresh_reused``…), which a fault
    may have hidden from the client.
    """

    id: int
    started_at: float
    endpoint: str
    method: str
    path: str
    client_id: str = ""
    kid: str = ""
    grant_type: str = ""
    grant_id: str = ""
    username: str = ""
    resource: str = ""
    code_presented: str = ""
    refresh_presented: str = ""
    access_presented: str = ""
    api_key_presented: str = ""
    access_issued: str = ""
    refresh_issued: str = ""
    status: int | None = None
    error: str = ""
    outcome: str = ""
    fault: str = ""
    client_closed: bool = False
    ended_at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as a JSON-ready mapping."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(field.name for field in fields(Entry))


class RequestLog:
    """The entries, oldest first, numbered from 1 without a gap; no number is used twice, not even after a clear."""

    def __init__(self, *, path: Path | None = None, echo: Callable[[str], None] | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._last_id = 0
        self._echo = echo
        self._file: int | None = None
        if path is not None:
            self._load(path)
            self._rewrite(path)

    def start(self, *, endpoint: str, method: str, path: str) -> Entry:
        """Add and return the entry of a request that has just arrived."""
        with self._lock:
            self._last_id += 1
            entry = Entry(id=self._last_id, started_at=time.time(), endpoint=endpoint, method=method, path=path)
            self._entries.append(entry)
            if len(self._entries) >= 2 * _KEPT:
                del self._entries[:_KEPT]
            self._append(entry)
        return entry

    def finish(self, entry: Entry, *, status: int | None) -> None:
        """Complete ``entry``, once: later calls change nothing."""
        with self._lock:
            if entry.ended_at is not None:
                return
            entry.status = status
            entry.ended_at = time.time()
            self._append(entry)
        if self._echo is not None:
            self._echo(_line(entry))

    def after(self, number: int, *, limit: int) -> list[dict[str, Any]]:
        """Return up to ``limit`` entries with an id above ``number``, oldest first, those still running included."""
        with self._lock:
            first = self._entries[0].id if self._entries else 0
            start = max(0, number - first + 1)
            chosen = self._entries[start : start + limit]
        return [entry.as_dict() for entry in chosen]

    def latest(self, count: int) -> list[Entry]:
        """Return the last ``count`` entries, newest first."""
        with self._lock:
            return self._entries[: -count - 1 : -1]

    @property
    def last_id(self) -> int:
        """The number of the newest entry, 0 before the first."""
        return self._last_id

    def clear(self) -> None:
        """Drop all entries; the numbering goes on."""
        with self._lock:
            self._entries.clear()
            if self._file is not None:
                os.ftruncate(self._file, 0)
                self._write({"last_id": self._last_id})

    def close(self) -> None:
        """Close the file, if there is one."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _append(self, entry: Entry) -> None:
        if self._file is not None:
            self._write(entry.as_dict())

    def _write(self, document: dict[str, Any]) -> None:
        assert self._file is not None
        os.write(self._file, json.dumps(document, separators=(",", ":")).encode() + b"\n")

    def _load(self, path: Path) -> None:
        found: dict[int, Entry] = {}
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                document = json.loads(line)
            except ValueError:
                continue  # a kill -9 may tear the last line
            self._last_id = max(self._last_id, document.get("last_id", 0), document.get("id", 0))
            if "id" in document:
                found[document["id"]] = Entry(**document)
        self._entries = [found[number] for number in sorted(found)][-_KEPT:]

    def _rewrite(self, path: Path) -> None:
        fresh = path.with_suffix(".new")
        self._file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._write({"last_id": self._last_id})
        for entry in self._entries:
            self._append(entry)
        fresh.replace(path)


def _line(entry: Entry) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(entry.started_at))
    took = ((entry.ended_at or entry.started_at) - entry.started_at) * 1000
    words = [clock, entry.method, entry.path, str(entry.status or "closed")]
    words += [word for word in (entry.client_id, entry.grant_type, entry.outcome, entry.error) if word]
    if entry.fault:
        words.append(f"fault={entry.fault}")
    return " ".join([*words, f"{took:.0f}ms"])
