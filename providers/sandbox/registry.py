"""The clients that the sandbox knows, and its settings.

Owns both documents as the control API and ``--clients`` write them, their validation, and the rule that a client's own
value comes before the global one. They are read from memory and written through to the store. Secrets are kept as
digests only.
"""

import hmac
import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from providers.sandbox.people import PEOPLE
from providers.sandbox.store import Store
from providers.sandbox.tokens import digest

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SAML_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
GRANT_TYPES = (
    *("authorization_code", "refresh_token", "client_credentials", "password"),
    *(DEVICE_GRANT, TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT, SAML_BEARER_GRANT),
)
# Granted by the request alone, which no consent has come before.
AT_ONCE = ("client_credentials", "password", TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT, SAML_BEARER_GRANT)
ENDPOINTS = (
    *("par", "token", "me", "files", "workspaces", "revoke", "introspect", "authorize", "metadata", "session"),
    *("device_authorization", "oauth1_request_token", "oauth1_authorize", "oauth1_access_token"),
    *("mcp", "resource_metadata", "register", "installations"),
)


REGISTRATION_WAYS = ("document", "dynamic")
_WHOLE_NUMBERS = (
    *("access_lifetime", "code_lifetime", "device_lifetime", "device_interval"),
    *("pushed_lifetime", "registration_lifetime", "most_grants"),
)
_NOT_GIVEN = {"secret_digests", "shared_secret", "server", "secret_expires_at", "registration_digest"}


class InvalidDocument(ValueError):
    """A client, settings or fault document is not usable; the message says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client (RFC 6749 §2). None means that the global setting applies.

    One that registered itself belongs to a ``server`` before the MCP server; its secret may end (0: never), and
    ``registration_digest`` is that of the token by which it can be changed. What a person revokes is told to
    ``push_url``, signed with ``push_secret``.
    """

    client_id: str
    name: str
    secret_digests: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = GRANT_TYPES
    public: bool = False
    pushes: bool = False
    jwks: tuple[Mapping[str, Any], ...] = ()
    certificates: tuple[str, ...] = ()  # thumbprints of those that prove the client (RFC 8705 §2)
    shared_secret: str = field(default="", repr=False)  # of a client that signs: a digest cannot check that
    access_lifetime: int | None = None
    rotate: bool | None = None
    grace_seconds: float | None = None
    server: str = ""
    secret_expires_at: float = 0
    registration_digest: str = ""
    push_url: str = ""
    push_secret: str = field(default="", repr=False)

    def has_ended(self, *, now: float) -> bool:
        """Return whether its secret has run out."""
        return 0 < self.secret_expires_at <= now

    def accepts_secret(self, secret: str) -> bool:
        """Return whether ``secret`` is one of the accepted ones."""
        presented = digest(secret)
        return any(hmac.compare_digest(presented, accepted) for accepted in self.secret_digests)

    def as_dict(self) -> dict[str, Any]:
        """Return the client as the control API shows it: the number of secrets instead of the secrets."""
        document = asdict(self)
        document["secrets"] = len(document.pop("secret_digests"))
        document["signs"] = bool(document.pop("shared_secret"))
        del document["registration_digest"], document["push_secret"]
        return document


@dataclass(frozen=True, slots=True)
class Settings:
    """What applies to every client that does not say otherwise.

    ``delay_seconds`` is by endpoint; ``workspaces`` by person: the names, by id, of what each one's grants open.
    ``locked`` are the people whose password a program may not use, and for whom nobody may act until they sign in. With
    ``require_pushed``, or a client's own ``pushes``, an authorization request has to be pushed first. ``mcp_server``
    names the authorization server before the MCP server, which answers as a stream of events with ``mcp_stream``.
    ``registration`` are the ways in which clients may register themselves there, ``registration_lifetime`` is that of
    their secrets (0: no end), and ``registration_managed`` lets them change it (RFC 7592). One person has room for
    ``most_grants`` of one client (0: any number); the next consent ends the oldest.
    """

    access_lifetime: int = 60
    code_lifetime: int = 60
    rotate: bool = True
    grace_seconds: float = 0.0
    delay_seconds: Mapping[str, float] = field(default_factory=dict)
    workspaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    device_lifetime: int = 600
    device_interval: int = 5
    require_pushed: bool = False
    pushed_lifetime: int = 60
    mcp_server: str = "one"
    mcp_stream: bool = False
    registration: tuple[str, ...] = REGISTRATION_WAYS
    registration_lifetime: int = 0
    registration_managed: bool = True
    most_grants: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as the control API shows them."""
        return asdict(self)


class Registry:
    """The clients and settings of one sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        with store.transaction() as ledger:
            documents = ledger.client_documents()
            stored = ledger.settings_document()
        self._clients = {client.client_id: client for client in map(_client_from_store, documents)}
        self.settings = _settings_from_store(stored) if stored else Settings()

    def client(self, client_id: str | None, *, server: str | None = None) -> Client | None:
        """Return the client of that id, or None. With ``server`` only one that this authorization server knows."""
        found = self._clients.get(client_id or "")
        return found if found is None or server in (None, found.server) else None

    def clients(self) -> list[Client]:
        """Return all clients by id."""
        return sorted(self._clients.values(), key=lambda client: client.client_id)

    def put_client(self, document: object) -> Client:
        """Register or replace the client that ``document`` describes. Raises InvalidDocument."""
        client = _client_from_request(document)
        self.keep(client)
        return client

    def keep(self, client: Client) -> None:
        """Store ``client`` in place of the one with its id."""
        with self._lock:
            with self._store.transaction() as ledger:
                ledger.put_client(client.client_id, json.dumps(asdict(client)))
            self._clients[client.client_id] = client

    def forget(self, client: Client) -> None:
        """Remove ``client``, and end what it was granted."""
        with self._lock:
            with self._store.transaction() as ledger:
                ledger.delete_client(client.client_id)
                ledger.revoke_grants(client_id=client.client_id, by="deleted registration", now=time.time())
            self._clients.pop(client.client_id, None)

    def change_settings(self, document: object) -> Settings:
        """Apply the settings that ``document`` names and leave the others. Raises InvalidDocument."""
        values = _mapping(document, "settings")
        _only(values, {item.name for item in fields(Settings)})
        with self._lock:
            changes: dict[str, Any] = {}
            for name in _WHOLE_NUMBERS:
                if name in values:
                    changes[name] = int(_number(values[name], name))
            for name in ("rotate", "require_pushed", "mcp_stream", "registration_managed"):
                if name in values:
                    changes[name] = _boolean(values[name], name)
            if "mcp_server" in values:
                changes["mcp_server"] = _server_name(values["mcp_server"])
            if "registration" in values:
                changes["registration"] = _strings(values["registration"], "registration")
                _only(changes["registration"], set(REGISTRATION_WAYS))
            if "grace_seconds" in values:
                changes["grace_seconds"] = _number(values["grace_seconds"], "grace_seconds")
            if "delay_seconds" in values:
                changes["delay_seconds"] = self._delays(values["delay_seconds"])
            if "workspaces" in values:
                changes["workspaces"] = _workspaces(values["workspaces"])
            if "locked" in values:
                changes["locked"] = _strings(values["locked"], "locked")
                _only(changes["locked"], set(PEOPLE))
            settings = replace(self.settings, **changes)
            with self._store.transaction() as ledger:
                ledger.put_settings(json.dumps(settings.as_dict()))
            self.settings = settings
        return settings

    def _delays(self, value: object) -> dict[str, float]:
        if isinstance(value, int | float):
            value = dict.fromkeys(ENDPOINTS, value)
        delays = _mapping(value, "delay_seconds")
        _only(delays, set(ENDPOINTS))
        merged = {**self.settings.delay_seconds}
        merged.update({endpoint: _number(seconds, "delay_seconds") for endpoint, seconds in delays.items()})
        return {endpoint: seconds for endpoint, seconds in merged.items() if seconds}

    def access_lifetime(self, client: Client) -> int:
        """Return how many seconds an access token of ``client`` lives."""
        return self.settings.access_lifetime if client.access_lifetime is None else client.access_lifetime

    def rotates(self, client: Client) -> bool:
        """Return whether each refresh gives ``client`` a new refresh token."""
        return self.settings.rotate if client.rotate is None else client.rotate

    def grace_seconds(self, client: Client) -> float:
        """Return for how long after its rotation a refresh token of ``client`` still works."""
        return self.settings.grace_seconds if client.grace_seconds is None else client.grace_seconds


def _settings_from_store(document: str) -> Settings:
    values: dict[str, Any] = json.loads(document)
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Settings(**values)


def _client_from_store(document: str) -> Client:
    values: dict[str, Any] = json.loads(document)
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return Client(**values)


def _client_from_request(document: object) -> Client:
    values = _mapping(document, "client")
    known = {item.name for item in fields(Client)} - _NOT_GIVEN
    _only(values, known | {"client_secret", "client_secrets", "signs"})
    client_id = values.get("client_id")
    if not isinstance(client_id, str) or not client_id:
        raise InvalidDocument("client_id must be a non-empty string")
    secrets = _strings(values.get("client_secret"), "client_secret")
    secrets += _strings(values.get("client_secrets"), "client_secrets")
    public = _boolean(values.get("public", False), "public")
    keys = _keys(values.get("jwks"))
    certificates = _strings(values.get("certificates"), "certificates")
    if public == bool(secrets or keys or certificates):
        raise InvalidDocument("a client has either a client_secret, or jwks, or certificates, or public=true")
    grant_types = _strings(values.get("grant_types", list(GRANT_TYPES)), "grant_types")
    if not set(grant_types) <= set(GRANT_TYPES):
        raise InvalidDocument(f"grant_types must be among {', '.join(GRANT_TYPES)}")
    lifetime, rotate, grace = (values.get(name) for name in ("access_lifetime", "rotate", "grace_seconds"))
    return Client(
        client_id=client_id,
        name=str(values.get("name") or client_id),
        secret_digests=tuple(digest(secret) for secret in secrets),
        redirect_uris=_strings(values.get("redirect_uris"), "redirect_uris"),
        scopes=_strings(values.get("scopes"), "scopes"),
        resources=_strings(values.get("resources"), "resources"),
        grant_types=grant_types,
        public=public,
        pushes=_boolean(values.get("pushes", False), "pushes"),
        jwks=keys,
        certificates=certificates,
        shared_secret=secrets[0] if secrets and _boolean(values.get("signs", False), "signs") else "",
        access_lifetime=None if lifetime is None else int(_number(lifetime, "access_lifetime")),
        rotate=None if rotate is None else _boolean(rotate, "rotate"),
        grace_seconds=None if grace is None else _number(grace, "grace_seconds"),
        push_url=_push_url(values),
        push_secret=str(values.get("push_secret", "")),
    )


def _push_url(values: dict[str, Any]) -> str:
    url = values.get("push_url", "")
    if not isinstance(url, str) or bool(url) != bool(values.get("push_secret")):
        raise InvalidDocument("push_url and push_secret are texts, and go together")
    return url


def _mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"{name} must be a JSON object")
    return value


def _keys(value: object) -> tuple[Mapping[str, Any], ...]:
    """Return the public keys of a JWK Set (RFC 7517 §5)."""
    keys = _mapping(value, "jwks").get("keys") if value is not None else ()
    if not isinstance(keys, list | tuple) or not all(isinstance(key, dict) and "d" not in key for key in keys):
        raise InvalidDocument("jwks must be a JWK Set of public keys")
    return tuple(keys)


def _workspaces(value: object) -> dict[str, dict[str, str]]:
    by_person = {who: _mapping(opened, "workspaces") for who, opened in _mapping(value, "workspaces").items()}
    _only(by_person, set(PEOPLE))
    return {who: {key: str(name) for key, name in opened.items()} for who, opened in by_person.items()}


def _only(values: Iterable[str], known: set[str]) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise InvalidDocument(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def _server_name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z]{1,20}", value):
        raise InvalidDocument("mcp_server must be a short word")
    return value


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e10:
        raise InvalidDocument(f"{name} must be a number of seconds, 0 or more")
    return value


def _boolean(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidDocument(f"{name} must be true or false")
    return value


def _strings(value: object, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(value.split()) if name == "scopes" else (value,)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise InvalidDocument(f"{name} must be a string or a list of strings")
