"""Every operation that the OpenAPI document names, and how to call it well: a new one has to be added here."""

import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse

from connections.api.urls import api
from connections.models import Permission
from tests.factories import Caller
from tests.flows import call, post_form
from tests.issuing import IDP, Issuer

DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix="/")


@dataclass(frozen=True)
class Operation:
    """One operation. ``body`` is valid but for the ids in it; ``names_tenant`` says where ``tenant`` goes, if anywhere.

    ``resource`` is what the path names: a "connection", a "session", a "grant", an "approval", an "end_user",
    an "offboarding", a "tenant", a "provider", or nothing. ``is_owned``: without a tenant it is about what is the
    operator's own, for an operator-wide client.
    """

    method: str
    path: str
    permission: Permission
    body: dict[str, Any] | None = None
    resource: str = ""
    names_tenant: str = "query"
    finds_tenant: bool = True
    is_form: bool = False
    is_owned: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def call(
        self, caller: Caller | None, *, tenant: str | None = None, id_: object = None, **members: Any
    ) -> HttpResponse:
        """Make the call, naming ``tenant`` where this operation takes it."""
        path = self.path.replace("{provider}", "sandbox").replace("{path}", "a/b")
        for name in re.findall(r"\{\w+\}", path):
            path = path.replace(name, str(id_ or uuid.uuid4()))
        body = None if self.body is None else {**self.body, **members}
        if tenant is not None and self.names_tenant == "query":
            path = f"{path}?{urlencode({'tenant': tenant})}"
        if tenant is not None and self.names_tenant == "body" and body is not None:
            body["tenant"] = tenant
        named = {"Latchkey-Tenant": tenant} if tenant is not None and self.names_tenant == "header" else {}
        if self.is_form:
            return post_form(caller, path, body or {})
        return call(caller, self.method, path, body, headers=named)

    def status(self, usual: int) -> int:
        """Return with which status this operation answers what others answer with ``usual`` (RFC 6749 §5.2)."""
        return 400 if self.is_form and 401 < usual < 500 else usual


_SESSION = {"end_user": "alice", "provider": "sandbox", "return_url": "https://app.acme.example/connected"}
_GRANT = {"subject": {"kind": "end_user", "id": "bob"}, "provider": "sandbox"}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token": Issuer(IDP).token(),
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "audience": "sandbox",
}
_DECIDED = {"decided_by": "carol"}
_VERSION = str(uuid.UUID(int=7))

_CLIENT = {"name": "worker", "permissions": ["read"]}
_ISSUER = {"use": "end_user", "issuer": "https://idp.acme.example", "audience": "latchkey"}
_PUSH_SECRET = {"secret": "a-push-secret"}
_APP_SECRET = {"client_secret": "s3cret"}
_PEM = {"certificates": "-----BEGIN CERTIFICATE-----"}
_KEY_END = {"expires_at": "2030-01-01T00:00:00Z"}
_HOOK = {"url": "https://hooks.example/latchkey"}
_SINCE = {"since": "2030-01-01T00:00:00Z"}
_RULE = {"client": _VERSION, "conditions": [{"claim": "sub", "equals": "x"}]}


def _owned(
    permission: Permission, path: str, resource: str, methods: dict[str, dict[str, Any] | None]
) -> list[Operation]:
    """Return the operations at ``path``, by method with their bodies, about a thing of a tenant's or the operator's."""
    return [Operation(method, path, permission, body, resource, is_owned=True) for method, body in methods.items()]


OPERATIONS = [
    Operation("PUT", "/tenants/{slug}", Permission.TENANTS, {"name": "Initech"}, "tenant", "", False),
    Operation("DELETE", "/tenants/{slug}", Permission.TENANTS, None, "tenant", "", False),
    Operation(
        "PUT",
        "/tenants/{slug}/provider-apps/{provider}",
        Permission.APPS,
        {"client_id": "x", "params": {"issuer": "http://127.0.0.1:9"}},
        "tenant",
        "",
        False,
    ),
    Operation("GET", "/tenants/{slug}/provider-apps", Permission.APPS, None, "tenant", "", False),
    Operation("GET", "/tenants/{slug}", Permission.READ, None, "tenant", "", False),
    Operation("PUT", "/tenants/{slug}/switches", Permission.TENANTS, {"suspended": True}, "tenant", "", False),
    Operation("PUT", "/shared-provider-apps/{provider}", Permission.APPS, {}, names_tenant="", finds_tenant=False),
    Operation("GET", "/shared-provider-apps", Permission.APPS, names_tenant="", finds_tenant=False),
    Operation(
        "POST",
        "/canaries",
        Permission.CALLERS,
        {"tenant": "acme", "provider_app": _VERSION},
        names_tenant="body",
        finds_tenant=False,  # for operator-wide clients alone, whichever tenant is named
    ),
    Operation("GET", "/tenants", Permission.READ, names_tenant="", finds_tenant=False),
    Operation("PUT", "/tenants/{slug}/domains/{host}", Permission.TENANTS, None, "tenant", "", False),
    Operation("GET", "/tenants/{slug}/domains/{host}", Permission.TENANTS, None, "tenant", "", False),
    Operation("DELETE", "/tenants/{slug}/domains/{host}", Permission.TENANTS, None, "tenant", "", False),
    Operation("GET", "/tenants/{slug}/domains", Permission.TENANTS, None, "tenant", "", False),
    Operation("PUT", "/branding", Permission.TENANTS, {}, names_tenant="", finds_tenant=False),
    Operation("GET", "/branding", Permission.READ, names_tenant="", finds_tenant=False),
    Operation("GET", "/providers", Permission.READ),
    Operation("GET", "/providers/{slug}", Permission.READ, resource="provider"),
    Operation("POST", "/connect-sessions", Permission.CONNECT, _SESSION, names_tenant="body"),
    Operation(
        "POST",
        "/connect-sessions/{session_id}/complete",
        Permission.CONNECT,
        {"completion_code": "x", "end_user": "alice"},
        "session",
        "body",
        False,  # a session belongs to the client that made it
    ),
    Operation(
        "POST",
        "/management-sessions",
        Permission.MANAGE,
        {"end_user": "alice", "return_url": "https://app.acme.example/connected"},
        names_tenant="body",
    ),
    Operation("POST", "/connections/import", Permission.IMPORT, {"rows": []}, names_tenant="body"),
    Operation("POST", "/imports/{import_id}/rows", Permission.IMPORT, {"rows": [], "part": 2}, "import", "body"),
    Operation("GET", "/imports/{import_id}", Permission.READ, resource="import"),
    Operation("GET", "/imports/{import_id}/rows", Permission.READ, resource="import"),
    Operation("GET", "/connections", Permission.READ),
    Operation("GET", "/connections/{connection_id}", Permission.READ, resource="connection"),
    Operation("GET", "/connections/{connection_id}/receipts", Permission.READ, resource="connection"),
    Operation("PATCH", "/connections/{connection_id}", Permission.MANAGE, {"metadata": {}}, "connection", "body"),
    Operation("PUT", "/connections/{connection_id}/sharing", Permission.GRANT, {}, "connection", "body"),
    Operation("DELETE", "/connections/{connection_id}", Permission.MANAGE, resource="connection"),
    Operation("POST", "/connections/{connection_id}/refresh", Permission.MANAGE, resource="connection"),
    Operation("POST", "/connections/{connection_id}/probe", Permission.MANAGE, resource="connection"),
    Operation(
        "POST",
        "/connections/{connection_id}/report",
        Permission.VEND,
        {"version": _VERSION, "status": 401},
        "connection",
        "body",
    ),
    Operation(
        "POST",
        "/connections/{connection_id}/credential",
        Permission.VEND,
        {"end_user": "alice"},
        "connection",
        "body",
    ),
    Operation("POST", "/credentials", Permission.VEND, {"provider": "sandbox", "end_user": "alice"}, "", "body"),
    Operation("POST", "/oauth/token", Permission.VEND, EXCHANGE, "", "", False, is_form=True),
    Operation("POST", "/access-grants", Permission.GRANT, _GRANT, names_tenant="body"),
    Operation("GET", "/access-grants", Permission.READ),
    Operation("GET", "/access-grants/{grant_id}", Permission.READ, resource="grant"),
    Operation("DELETE", "/access-grants/{grant_id}", Permission.GRANT, resource="grant"),
    Operation("GET", "/approvals", Permission.READ),
    Operation("GET", "/approvals/{approval_id}", Permission.READ, resource="approval"),
    Operation("POST", "/approvals/{approval_id}/approve", Permission.GRANT, _DECIDED, "approval", "body"),
    Operation("POST", "/approvals/{approval_id}/deny", Permission.GRANT, _DECIDED, "approval", "body"),
    Operation("GET", "/end-users/{end_user}", Permission.READ, resource="end_user"),
    Operation("DELETE", "/end-users/{end_user}", Permission.MANAGE, resource="end_user"),
    Operation("GET", "/offboardings/{offboarding_id}", Permission.READ, resource="offboarding"),
    Operation("GET", "/events", Permission.READ),
    Operation("GET", "/forecast", Permission.READ),
    Operation("GET", "/quarantine", Permission.READ, names_tenant="", finds_tenant=False),
    Operation("GET", "/quarantine/connections", Permission.READ),
    Operation("POST", "/connections/{connection_id}/release", Permission.MANAGE, {}, "connection"),
    Operation("PUT", "/connections/{connection_id}/switches", Permission.MANAGE, {"paused": True}, "connection"),
    Operation("POST", "/connections/{connection_id}/revoke", Permission.MANAGE, resource="connection"),
    Operation("POST", "/connections/{connection_id}/reread", Permission.MANAGE, resource="connection"),
    Operation("POST", "/connections/{connection_id}/discard-answer", Permission.MANAGE, resource="connection"),
    *(
        Operation("GET", f"/connections/{{connection_id}}/{part}", Permission.READ, resource="connection")
        for part in ("outlook", "refresh-attempts", "versions")
    ),
    Operation("GET", "/outbound-addresses", Permission.READ, names_tenant="", finds_tenant=False),
    Operation("GET", "/connect-sessions", Permission.READ),
    Operation("GET", "/connect-sessions/{session_id}", Permission.READ, resource="shown_session"),
    Operation("GET", "/connect-sessions/{session_id}/steps", Permission.READ, resource="shown_session"),
    Operation("GET", "/management-sessions", Permission.READ),
    Operation("GET", "/management-sessions/{session_id}", Permission.READ, resource="visit"),
    Operation("DELETE", "/management-sessions/{session_id}", Permission.MANAGE, resource="visit"),
    *_owned(Permission.AUDIT, "/audit-events", "", {"GET": None}),
    *_owned(Permission.AUDIT, "/audit-events/ocsf", "", {"GET": None}),
    Operation("POST", "/bulk-jobs", Permission.MANAGE, {"act": "probe", "provider": "sandbox"}, names_tenant="body"),
    *_owned(Permission.READ, "/bulk-jobs", "", {"GET": None}),
    *_owned(Permission.READ, "/bulk-jobs/{job_id}", "job", {"GET": None}),
    *_owned(Permission.READ, "/bulk-jobs/{job_id}/rows", "job", {"GET": None}),
    *_owned(Permission.MANAGE, "/bulk-jobs/{job_id}/cancel", "job", {"POST": None}),
    Operation("GET", "/own-providers", Permission.CATALOGUE, names_tenant="", finds_tenant=False),
    *(
        Operation(method, "/own-providers/{own_slug}", Permission.CATALOGUE, body, names_tenant="", finds_tenant=False)
        for method, body in (("GET", None), ("PUT", {"toml": ""}), ("DELETE", None))
    ),
    Operation(
        *("POST", "/own-providers/{own_slug}/check", Permission.CATALOGUE, {"toml": ""}),
        names_tenant="",
        finds_tenant=False,
    ),
    *_owned(Permission.APPS, "/provider-apps/{app_id}", "app", {"GET": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/switches", "app", {"PUT": {"paused": True}}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/client-secrets", "app", {"GET": None, "POST": _APP_SECRET}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/client-secrets/end", "app", {"PUT": {"others_end_at": None}}),
    *(  # for operator-wide clients alone, whosever the app is
        Operation(method, "/provider-apps/{app_id}/client-secrets/source", Permission.APPS, body, finds_tenant=False)
        for method, body in (("GET", None), ("PUT", {"client_secret_from": None}))
    ),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/client-secrets/{fingerprint}", "app", {"DELETE": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/registered-clients", "app", {"GET": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/registered-clients/{registered_id}/renew", "app", {"POST": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/push", "app", {"GET": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/pushes", "app", {"GET": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/push-secrets", "app", {"GET": None, "POST": _PUSH_SECRET}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/push-secrets/{fingerprint}", "app", {"DELETE": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/keys", "app", {"GET": None, "POST": {}}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/keys/{key_id}", "app", {"GET": None, "DELETE": None}),
    *_owned(Permission.APPS, "/provider-apps/{app_id}/keys/{key_id}/certificates", "app", {"PUT": _PEM}),
    *_owned(Permission.APPS, "/incidents", "", {"GET": None}),
    *_owned(Permission.APPS, "/incidents/{incident_id}", "incident", {"GET": None}),
    *_owned(Permission.APPS, "/incidents/{incident_id}/close", "incident", {"POST": None}),
    *_owned(Permission.CALLERS, "/api-clients", "", {"POST": _CLIENT, "GET": None}),
    *_owned(Permission.CALLERS, "/api-clients/{client_id}", "client", {"GET": None, "PUT": {"permissions": ["read"]}}),
    *_owned(Permission.CALLERS, "/api-clients/{client_id}/assertion-keys", "client", {"PUT": {}}),
    *_owned(Permission.CALLERS, "/api-clients/{client_id}/switches", "client", {"PUT": {"suspended": True}}),
    *_owned(Permission.CALLERS, "/api-clients/{client_id}/keys", "client", {"GET": None, "POST": {}}),
    *_owned(
        Permission.CALLERS,
        "/api-clients/{client_id}/keys/{key_id}",
        "client",
        {"GET": None, "PUT": _KEY_END, "DELETE": None},
    ),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints", "", {"POST": _HOOK, "GET": None}),
    *_owned(
        Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}", "hook", {"GET": None, "PUT": _HOOK, "DELETE": None}
    ),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/switches", "hook", {"PUT": {"enabled": False}}),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/secrets", "hook", {"POST": {}}),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/test", "hook", {"POST": None}),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/replay", "hook", {"POST": _SINCE}),
    *_owned(Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/deliveries", "hook", {"GET": None}),
    *_owned(
        Permission.WEBHOOKS, "/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/resend", "hook", {"POST": None}
    ),
    *_owned(Permission.CALLERS, "/trusted-issuers", "", {"POST": _ISSUER, "GET": None}),
    *_owned(Permission.CALLERS, "/trusted-issuers/{issuer_id}", "issuer", {"GET": None, "PUT": {}, "DELETE": None}),
    *_owned(Permission.CALLERS, "/trusted-issuers/{issuer_id}/rules", "issuer", {"GET": None, "POST": _RULE}),
    *_owned(
        Permission.CALLERS, "/trusted-issuers/{issuer_id}/rules/{rule_id}", "issuer", {"GET": None, "DELETE": None}
    ),
    *(
        Operation(method, "/connections/{connection_id}/proxy/{path}", Permission.PROXY, None, "connection", "header")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ),
]


def documented() -> set[str]:
    """Return every operation of the OpenAPI document, as ``METHOD /path``."""
    return {f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item}
