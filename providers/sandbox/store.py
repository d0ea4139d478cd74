"""The sandbox's state in SQLite: grants, codes, tokens, API keys, sessions, clients, settings.

Owns the schema and every statement. One connection behind one lock: ``Store.transaction`` gives a ``Ledger``, and a
request uses one. WAL without fsync: state outlives a kill -9 of the process, not a power cut. Tokens, codes, keys and
session ids are found by SHA-256 digest (``tokens.digest``); callers pass digests, never raw values.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

CERTIFICATE = "certificate"  # the kind of document that says whose a client certificate is

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clients (client_id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY, client_id TEXT NOT NULL, username TEXT, scope TEXT NOT NULL,
    created_at REAL NOT NULL, activated_at REAL, revoked_at REAL, revoked_by TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS codes (
    digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    redirect_uri_given INTEGER NOT NULL, challenge TEXT, challenge_method TEXT, expires_at REAL NOT NULL, used_at REAL
);
CREATE TABLE IF NOT EXISTS device_codes (
    digest TEXT PRIMARY KEY, user_code TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL, scope TEXT NOT NULL,
    expires_at REAL NOT NULL, interval REAL NOT NULL, polled_at REAL, username TEXT, decision TEXT NOT NULL DEFAULT '',
    used_at REAL
);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, issued_at REAL NOT NULL, rotated_at REAL
);
CREATE INDEX IF NOT EXISTS refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE TABLE IF NOT EXISTS access_tokens (
    digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, scope TEXT NOT NULL, issued_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS api_keys (
    id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, username TEXT NOT NULL, label TEXT NOT NULL, hint TEXT NOT NULL,
    created_at REAL NOT NULL, revoked_at REAL
);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, digest TEXT NOT NULL, document TEXT NOT NULL, expires_at REAL NOT NULL,
    PRIMARY KEY (kind, digest)
);
CREATE TABLE IF NOT EXISTS sessions (digest TEXT PRIMARY KEY, username TEXT NOT NULL, created_at REAL NOT NULL);
"""


class Grant(NamedTuple):
    """What a person (or, without a username, a client itself) allowed a client to do."""

    id: str
    client_id: str
    username: str | None
    scope: str
    created_at: float
    activated_at: float | None
    revoked_at: float | None
    revoked_by: str


class Code(NamedTuple):
    """An authorization code with the request that it answers."""

    digest: str
    grant_id: str
    client_id: str
    redirect_uri: str
    redirect_uri_given: int
    challenge: str | None
    challenge_method: str | None
    expires_at: float
    used_at: float | None


class DeviceCode(NamedTuple):
    """A device code with its user code; ``decision`` is "", "allowed" or "denied"."""

    digest: str
    user_code: str
    client_id: str
    scope: str
    expires_at: float
    interval: float
    polled_at: float | None
    username: str | None
    decision: str
    used_at: float | None

    def is_open(self, now: float) -> bool:
        """Whether a person may still decide about it."""
        return not self.decision and self.expires_at > now


class RefreshToken(NamedTuple):
    """A refresh token; once ``rotated_at`` is set a successor exists."""

    digest: str
    grant_id: str
    issued_at: float
    rotated_at: float | None


class AccessToken(NamedTuple):
    """An access token; ``scope`` may be narrower than its grant's."""

    digest: str
    grant_id: str
    scope: str
    issued_at: float
    expires_at: float


class ApiKey(NamedTuple):
    """A person's API key; ``hint`` is its first characters."""

    id: str
    username: str
    label: str
    hint: str
    created_at: float
    revoked_at: float | None


class Ledger:
    """Every read and write, valid inside one ``Store.transaction``."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def _row(self, statement: str, *values: Any) -> Any:
        return self._db.execute(statement, values).fetchone()

    # Clients and settings

    def client_documents(self) -> list[str]:
        """Return the stored clients."""
        return [document for (document,) in self._db.execute("SELECT document FROM clients")]

    def put_client(self, client_id: str, document: str) -> None:
        """Insert or replace a client."""
        self._db.execute("INSERT OR REPLACE INTO clients VALUES (?, ?)", (client_id, document))

    def delete_client(self, client_id: str) -> None:
        """Remove a client."""
        self._db.execute("DELETE FROM clients WHERE client_id = ?", (client_id,))

    def settings_document(self) -> str | None:
        """Return the stored settings."""
        row = self._row("SELECT document FROM settings")
        return row[0] if row else None

    def put_settings(self, document: str) -> None:
        """Replace the settings."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (1, ?)", (document,))

    # Grants

    def add_grant(self, *, client_id: str, username: str | None, scope: str, now: float) -> str:
        """Insert a grant that no token was issued for yet, and return its id."""
        grant_id = secrets.token_hex(8)
        self._db.execute(
            "INSERT INTO grants (id, client_id, username, scope, created_at) VALUES (?, ?, ?, ?, ?)",
            (grant_id, client_id, username, scope, now),
        )
        return grant_id

    def grant(self, grant_id: str) -> Grant:
        """Return a grant that exists."""
        return Grant(*self._row("SELECT * FROM grants WHERE id = ?", grant_id))

    def activate_grant(self, grant_id: str, *, now: float) -> None:
        """Note that tokens were issued for the grant."""
        self._db.execute("UPDATE grants SET activated_at = ? WHERE id = ?", (now, grant_id))

    def revoke_grants(
        self,
        *,
        by: str,
        now: float,
        grant_id: str | None = None,
        username: str | None = None,
        client_id: str | None = None,
    ) -> int:
        """Revoke the live grants that match all filters given, and return how many these were."""
        chosen, values = _where({"id": grant_id, "username": username, "client_id": client_id})
        return self._db.execute(
            f"UPDATE grants SET revoked_at = ?, revoked_by = ? WHERE revoked_at IS NULL{chosen}", (now, by, *values)
        ).rowcount

    def make_room(self, *, client_id: str, username: str | None, most: int, now: float) -> None:
        """Revoke the oldest live grants of a person to a client, so that the newest ``most`` are left."""
        self._db.execute(
            "UPDATE grants SET revoked_at = ?, revoked_by = 'room' WHERE id IN (SELECT id FROM grants"
            " WHERE client_id = ? AND username IS ? AND revoked_at IS NULL"
            " ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?)",
            (now, client_id, username, most),
        )

    def grants(self, *, username: str | None = None, client_id: str | None = None) -> list[Grant]:
        """Return the grants that tokens were issued for, newest first, revoked ones included."""
        chosen, values = _where({"username": username, "client_id": client_id})
        rows = self._db.execute(
            f"SELECT * FROM grants WHERE activated_at IS NOT NULL{chosen} ORDER BY activated_at DESC", values
        )
        return [Grant(*row) for row in rows]

    def live_refresh_digests(self, grant_id: str) -> list[str]:
        """Return the digests of the grant's refresh tokens that have no successor."""
        rows = self._db.execute(
            "SELECT digest FROM refresh_tokens WHERE grant_id = ? AND rotated_at IS NULL ORDER BY issued_at",
            (grant_id,),
        )
        return [digest for (digest,) in rows]

    # Codes and tokens

    def add_code(self, code: Code) -> None:
        """Insert an authorization code."""
        self._db.execute("INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", code)

    def code(self, digest: str) -> Code | None:
        """Return the code of that digest."""
        row = self._row("SELECT * FROM codes WHERE digest = ?", digest)
        return Code(*row) if row else None

    def use_code(self, digest: str, *, now: float) -> None:
        """Mark the code as used."""
        self._db.execute("UPDATE codes SET used_at = ? WHERE digest = ?", (now, digest))

    def add_refresh_token(self, *, digest: str, grant_id: str, now: float) -> None:
        """Insert a refresh token."""
        self._db.execute("INSERT INTO refresh_tokens VALUES (?, ?, ?, NULL)", (digest, grant_id, now))

    def refresh_token(self, digest: str) -> RefreshToken | None:
        """Return the refresh token of that digest."""
        row = self._row("SELECT * FROM refresh_tokens WHERE digest = ?", digest)
        return RefreshToken(*row) if row else None

    def rotate_refresh_token(self, digest: str, *, now: float) -> None:
        """Mark the refresh token as succeeded; the first rotation's time stays."""
        self._db.execute(
            "UPDATE refresh_tokens SET rotated_at = ? WHERE digest = ? AND rotated_at IS NULL", (now, digest)
        )

    def add_access_token(self, token: AccessToken) -> None:
        """Insert an access token."""
        self._db.execute("INSERT INTO access_tokens VALUES (?, ?, ?, ?, ?)", token)

    def access_token(self, digest: str) -> AccessToken | None:
        """Return the access token of that digest."""
        row = self._row("SELECT * FROM access_tokens WHERE digest = ?", digest)
        return AccessToken(*row) if row else None

    # Device codes

    def add_device_code(self, code: DeviceCode) -> None:
        """Insert a device code that nobody has decided about."""
        self._db.execute("INSERT INTO device_codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", code)

    def device_code(self, digest: str) -> DeviceCode | None:
        """Return the device code of that digest."""
        row = self._row("SELECT * FROM device_codes WHERE digest = ?", digest)
        return DeviceCode(*row) if row else None

    def device_code_of(self, user_code: str) -> DeviceCode | None:
        """Return the device code that belongs to what a person typed."""
        row = self._row("SELECT * FROM device_codes WHERE user_code = ?", user_code)
        return DeviceCode(*row) if row else None

    def poll_device_code(self, digest: str, *, now: float, interval: float) -> None:
        """Note a poll, and the interval from now on."""
        self._db.execute(
            "UPDATE device_codes SET polled_at = ?, interval = ? WHERE digest = ?", (now, interval, digest)
        )

    def decide_device_code(self, *, digest: str, username: str, is_allowed: bool, scope: str) -> None:
        """Note the decision of the person who entered the code, with the scopes that were allowed."""
        decision = "allowed" if is_allowed else "denied"
        self._db.execute(
            "UPDATE device_codes SET username = ?, decision = ?, scope = ? WHERE digest = ?",
            (username, decision, scope, digest),
        )

    def use_device_code(self, digest: str, *, now: float) -> None:
        """Mark the device code as used."""
        self._db.execute("UPDATE device_codes SET used_at = ? WHERE digest = ?", (now, digest))

    # What a party comes back to before it runs out: pushed requests

    def put_document(self, kind: str, digest: str, document: dict[str, Any], *, expires_at: float) -> None:
        """Insert or replace a document of that kind."""
        row = (kind, digest, json.dumps(document), expires_at)
        self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", row)

    def document(self, kind: str, digest: str, *, now: float) -> dict[str, Any] | None:
        """Return the document of that digest, None if there is none or it has run out."""
        row = self._row("SELECT document, expires_at FROM documents WHERE kind = ? AND digest = ?", kind, digest)
        return json.loads(row[0]) if row and row[1] > now else None

    def drop_document(self, kind: str, digest: str) -> None:
        """Forget a document."""
        self._db.execute("DELETE FROM documents WHERE kind = ? AND digest = ?", (kind, digest))

    # API keys and sessions

    def add_api_key(self, *, digest: str, username: str, label: str, hint: str, now: float) -> str:
        """Insert an API key and return its id."""
        key_id = secrets.token_hex(8)
        self._db.execute(
            "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, NULL)", (key_id, digest, username, label, hint, now)
        )
        return key_id

    def api_key(self, digest: str) -> ApiKey | None:
        """Return the API key of that digest, revoked or not."""
        row = self._row(
            "SELECT id, username, label, hint, created_at, revoked_at FROM api_keys WHERE digest = ?", digest
        )
        return ApiKey(*row) if row else None

    def api_keys(self, username: str) -> list[ApiKey]:
        """Return the person's live API keys, newest first."""
        rows = self._db.execute(
            "SELECT id, username, label, hint, created_at, revoked_at FROM api_keys"
            " WHERE username = ? AND revoked_at IS NULL ORDER BY created_at DESC",
            (username,),
        )
        return [ApiKey(*row) for row in rows]

    def revoke_api_keys(self, *, now: float, username: str | None = None, key_id: str | None = None) -> int:
        """Revoke the live API keys that match all filters given, and return how many these were."""
        chosen, values = _where({"username": username, "id": key_id})
        return self._db.execute(
            f"UPDATE api_keys SET revoked_at = ? WHERE revoked_at IS NULL{chosen}", (now, *values)
        ).rowcount

    def add_session(self, *, digest: str, username: str, now: float) -> None:
        """Insert a signed-in browser session."""
        self._db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (digest, username, now))

    def session_username(self, digest: str) -> str | None:
        """Return who is signed in."""
        row = self._row("SELECT username FROM sessions WHERE digest = ?", digest)
        return row[0] if row else None

    def end_session(self, digest: str) -> None:
        """Sign out."""
        self._db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))


class Store:
    """The database, in memory or in ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._lock = threading.Lock()
        path = ":memory:" if folder is None else str(folder / "sandbox.sqlite3")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)
        self._ledger = Ledger(self._db)

    @contextmanager
    def transaction(self) -> Iterator[Ledger]:
        """Give the ledger inside one transaction: committed at the end, rolled back by an exception."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield self._ledger
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the database once no transaction runs."""
        with self._lock:
            self._db.close()


def _where(filters: dict[str, str | None]) -> tuple[str, tuple[str, ...]]:
    given = {column: value for column, value in filters.items() if value is not None}
    return "".join(f" AND {column} = ?" for column in given), tuple(given.values())
