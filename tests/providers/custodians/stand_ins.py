"""Stand-ins for custodians: small servers that keep keys, check who calls, and read and write as the vendors document.

AWS is moto's server.
"""

import base64
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from providers.custodians.custody import Azure, Custody, Google, OpenBao

Answer = tuple[int, dict[str, Any] | str]
Any_ = TypeVar("Any_", bound="StandIn")


@dataclass
class Call:
    """One request as a stand-in saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


class StandIn:
    """A custodian. ``is_cut``: it is there no more for anybody. ``disabled``: so is its key, for whoever asks.

    It answers while ``is_quick`` is set, and keeps callers waiting else. ``before``: what a proxy answers in its place.
    """

    NAME = ""

    def __init__(self) -> None:
        self.url = ""
        self.is_cut = False
        self.disabled = False
        self.is_quick = threading.Event()
        self.is_quick.set()
        self.before: Answer | None = None
        self.calls: list[Call] = []
        self.tokens: set[str] = set()

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def new_token(self) -> str:
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return token

    def knows_bearer(self, call: Call) -> bool:
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        return kind == "Bearer" and token in self.tokens


@contextmanager
def serving(stand_in: Any_) -> Iterator[Any_]:
    """Serve a stand-in on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, parts.path, query, dict(self.headers.items()), body)
            if stand_in.is_cut:
                self.close_connection = True
                return
            stand_in.calls.append(call)
            stand_in.is_quick.wait(30)
            status, document = stand_in.before or stand_in.answer(call)
            raw = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


def given(text: str) -> Any:
    """Return a reader of ``text``, as the settings have it."""
    return lambda: SecretStr(text)


class Bao(StandIn):
    """OpenBao or Vault: a transit key with versions, what is ``kept`` by path, and three ways to log in."""

    NAME = "transit/latchkey"
    TOKEN, ROLE, SECRET, JWT = "s.root", "role-1", "secret-1", "jwt-of-the-pod"

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {self.TOKEN}
        self.keys = [secrets.token_bytes(32)]
        self.lease_seconds = 3600
        self.renewable = True
        self.namespace = ""
        self.kept: dict[str, dict[str, Any] | None] = {}

    def custody(self, **changes: Any) -> Custody:
        return Custody(openbao=OpenBao(**({"url": self.url, "token": given(self.TOKEN)} | changes)))

    def rotate(self) -> None:
        self.keys.append(secrets.token_bytes(32))

    def answer(self, call: Call) -> Answer:
        if call.headers.get("X-Vault-Namespace", "") != self.namespace:
            return 404, {"errors": ["no handler for route"]}
        if call.path.endswith("/login"):
            return self._login(call)
        if call.headers.get("X-Vault-Token") not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        if call.path == "/v1/auth/token/lookup-self":
            return 200, {"data": {"ttl": self.lease_seconds, "renewable": self.renewable, "explicit_max_ttl": 0}}
        if call.path == "/v1/auth/token/renew-self":
            lease = {"lease_duration": self.lease_seconds, "renewable": True}
            return (200, {"auth": lease}) if self.renewable else (400, {"errors": ["lease is not renewable"]})
        if call.method == "GET" and (path := call.path.removeprefix("/v1/")) in self.kept:
            return self._kept(path)
        what = re.fullmatch(r"/v1/transit/(encrypt|decrypt)/latchkey", call.path)
        if what is None:
            return 404, {"errors": []}
        if self.disabled:
            return 400, {"errors": ["encryption key not found"]}
        return getattr(self, f"_{what[1]}")(call.json)

    def _login(self, call: Call) -> Answer:
        known = {
            "/v1/auth/approle/login": {"role_id": self.ROLE, "secret_id": self.SECRET},
            "/v1/auth/kubernetes/login": {"role": self.ROLE, "jwt": self.JWT},
        }
        if known.get(call.path) != call.json:
            return 400, {"errors": ["invalid role or secret ID"]}
        return 200, {"auth": {"client_token": self.new_token(), "lease_duration": self.lease_seconds}}

    def _kept(self, path: str) -> Answer:
        """Answer as version 2 of the engine for what is below ``data``, where None is deleted; else as version 1."""
        found = self.kept[path]
        if "/data/" not in path:
            return 200, {"data": found}
        return 404 if found is None else 200, {"data": {"data": found, "metadata": {"version": 3}}}

    def _encrypt(self, body: dict[str, str]) -> Answer:
        nonce = os.urandom(12)
        plain, bound = base64.b64decode(body["plaintext"]), base64.b64decode(body["associated_data"])
        sealed = base64.b64encode(nonce + AESGCM(self.keys[-1]).encrypt(nonce, plain, bound)).decode()
        return 200, {"data": {"ciphertext": f"vault:v{len(self.keys)}:{sealed}", "key_version": len(self.keys)}}

    def _decrypt(self, body: dict[str, str]) -> Answer:
        _, version, sealed = body["ciphertext"].split(":")
        raw = base64.b64decode(sealed)
        try:
            plain = AESGCM(self.keys[int(version[1:]) - 1]).decrypt(
                raw[:12], raw[12:], base64.b64decode(body["associated_data"])
            )
        except InvalidTag:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}


class GoogleCloud(StandIn):
    """Cloud KMS and Secret Manager (``kept``), the metadata service, and the token endpoint of service accounts."""

    NAME = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/latchkey"
    EMAIL = "latchkey@p.iam.gserviceaccount.com"

    def __init__(self) -> None:
        super().__init__()
        self.keys = [secrets.token_bytes(32)]
        self.account_key = rsa.generate_private_key(65537, 2048)
        self.kept: dict[str, bytes] = {}

    def custody(self, **changes: Any) -> Custody:
        urls = dict.fromkeys(("metadata_url", "kms_url", "secrets_url"), self.url)
        return Custody(google=Google(**(urls | changes)))

    def service_account(self) -> str:
        """Return the JSON of a service account's key, as the console gives it."""
        pem = self.account_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "private_key_id": "k1",
                "private_key": pem.decode(),
                "client_email": self.EMAIL,
                "token_uri": f"{self.url}/token",
            }
        )

    def rotate(self) -> None:
        self.keys.append(secrets.token_bytes(32))

    def answer(self, call: Call) -> Answer:
        if call.path == "/computeMetadata/v1/instance/service-accounts/default/token":
            if call.headers.get("Metadata-Flavor") != "Google":
                return 403, {}
            return 200, {"access_token": self.new_token(), "expires_in": 3599, "token_type": "Bearer"}
        if call.path == "/token":
            return self._token(call.form)
        if not self.knows_bearer(call):
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}
        if call.method == "GET" and call.path.endswith(":access"):
            name = call.path.removeprefix("/v1/").removesuffix(":access")
            if name not in self.kept:
                return 404, {"error": {"code": 404, "status": "NOT_FOUND"}}
            return 200, {"name": name, "payload": {"data": base64.b64encode(self.kept[name]).decode()}}
        what = re.fullmatch(rf"/v1/{self.NAME}:(encrypt|decrypt)", call.path)
        if what is None:
            return 404, {"error": {"code": 404, "status": "NOT_FOUND"}}
        if self.disabled:
            return 400, {"error": {"code": 400, "status": "FAILED_PRECONDITION"}}
        return getattr(self, f"_{what[1]}")(call.json)

    def _token(self, form: dict[str, str]) -> Answer:
        claims = jwt.decode(
            form["assertion"],
            self.account_key.public_key(),
            algorithms=["RS256"],
            audience=f"{self.url}/token",
            issuer=self.EMAIL,
        )
        assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return 200, {"access_token": self.new_token(), "expires_in": 3599, "token_type": "Bearer"}

    def _encrypt(self, body: dict[str, str]) -> Answer:
        nonce, version = os.urandom(12), len(self.keys)
        bound = base64.b64decode(body["additionalAuthenticatedData"])
        sealed = nonce + AESGCM(self.keys[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), bound)
        named = f"{self.NAME}/cryptoKeyVersions/{version}"
        return 200, {"name": named, "ciphertext": base64.b64encode(bytes([version]) + sealed).decode()}

    def _decrypt(self, body: dict[str, str]) -> Answer:
        raw, bound = base64.b64decode(body["ciphertext"]), base64.b64decode(body["additionalAuthenticatedData"])
        try:
            plain = AESGCM(self.keys[raw[0] - 1]).decrypt(raw[1:13], raw[13:], bound)
        except InvalidTag:
            return 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}
        return 200, {"plaintext": base64.b64encode(plain).decode()}


class AzureCloud(StandIn):
    """A Key Vault: an RSA key, secrets (``kept``). Also who gives tokens: the machine, App Service, Entra."""

    TENANT, CLIENT, SECRET, HEADER, ASSERTION = "tenant-1", "client-1", "secret-1", "header-1", "jwt-of-the-pod"
    RESOURCE = "https://vault.azure.net"

    def __init__(self) -> None:
        super().__init__()
        self.versions = {"v1": rsa.generate_private_key(65537, 2048)}
        self.kept: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The URL of the key, without a version."""
        return f"{self.url}/keys/latchkey"

    def custody(self, **changes: Any) -> Custody:
        return Custody(azure=Azure(**({"machine_url": self.url, "authority_url": self.url} | changes)))

    def rotate(self) -> None:
        self.versions[f"v{len(self.versions) + 1}"] = rsa.generate_private_key(65537, 2048)

    def answer(self, call: Call) -> Answer:
        if call.path in ("/metadata/identity/oauth2/token", "/msi/token"):
            return self._identity(call)
        if call.path == f"/{self.TENANT}/oauth2/v2.0/token":
            return self._grant(call.form)
        if not self.knows_bearer(call):
            return 401, {"error": {"code": "Unauthorized"}}
        assert call.query == {"api-version": "7.4"}
        if call.path.startswith("/secrets/"):
            value = self.kept.get(call.path.removeprefix("/secrets/"))
            return (404, {"error": {"code": "SecretNotFound"}}) if value is None else (200, {"value": value})
        what = re.fullmatch(r"/keys/latchkey(?:/(v\d+)/(wrapkey|unwrapkey))?", call.path)
        if what is None or (what[1] and what[1] not in self.versions):
            return 404, {"error": {"code": "KeyNotFound"}}
        if what[1] is None:
            return 200, {"key": {"kid": f"{self.name}/{list(self.versions)[-1]}", "kty": "RSA"}}
        if self.disabled:
            return 403, {"error": {"code": "Forbidden", "innererror": {"code": "KeyDisabled"}}}
        return self._do(what[1], what[2], call.json)

    def _identity(self, call: Call) -> Answer:
        at_app_service = call.path == "/msi/token"
        proof = call.headers.get("X-IDENTITY-HEADER") == self.HEADER if at_app_service else call.headers["Metadata"]
        version = "2019-08-01" if at_app_service else "2018-02-01"
        if not proof or call.query["api-version"] != version or call.query["resource"] != self.RESOURCE:
            return 400, {"error": "invalid_request"}
        return 200, {"access_token": self.new_token(), "expires_in": "3599", "token_type": "Bearer"}

    def _grant(self, form: dict[str, str]) -> Answer:
        assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        proves = form.get("client_secret") == self.SECRET or (
            form.get("client_assertion_type") == assertion and form.get("client_assertion") == self.ASSERTION
        )
        asked = {"grant_type": "client_credentials", "client_id": self.CLIENT, "scope": f"{self.RESOURCE}/.default"}
        if not proves or not asked.items() <= form.items():
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": self.new_token(), "expires_in": 3599, "token_type": "Bearer"}

    def _do(self, version: str, what: str, body: dict[str, str]) -> Answer:
        assert body["alg"] == "RSA-OAEP-256"
        assert not set(body["value"]) & set("+/="), "base64url has none of these (RFC 4648 §5)"
        value = base64.urlsafe_b64decode(body["value"] + "=" * (-len(body["value"]) % 4))
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        key = self.versions[version]
        try:
            done = key.public_key().encrypt(value, oaep) if what == "wrapkey" else key.decrypt(value, oaep)
        except ValueError:
            return 400, {"error": {"code": "BadParameter"}}
        return 200, {"kid": f"{self.name}/{version}", "value": base64.urlsafe_b64encode(done).decode().rstrip("=")}
