"""The OpenAPI document: what is said of the API beyond its routes and bodies, and how the whole is tidied up. No I/O.

The problems are in ``problem_shapes``, the words for members without any of their own in ``glossary``. Clients are
generated from the document (``config.local.clients``), so what is not in it they do not know.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from connections.api import conditional, idempotency
from connections.api.glossary import is_secret, meaning_of
from connections.api.problem_shapes import name_of, problem_schemas, status_of

DESCRIPTION = """Latchkey keeps the connections of your customers to their accounts at third parties, and hands your \
services and agents a credential that works now, or a stable reason why none does.

Every call carries `Authorization: Bearer …`: an API key (`lk_…`), or a workload token of an issuer that is trusted. \
Errors are `application/problem+json` (RFC 9457) with a stable `code`. What a call does not know, in its query as in \
its body, is refused by name (`invalid_request`). A 503 says in `Retry-After` when the same \
request can succeed, and `quarantined` when it is worth another try."""

_SECURITY = "bearer"
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "an API key (`lk_…`), or the token of a workload whose issuer is trusted",
}
_TAGS = {
    "vend": "Credentials that work now. Use them at once, and ask again rather than keep them.",
    "proxy": "Calls to a provider with a connection's credential, which stays here.",
    "tenants": "Your customers: their names, addresses, brands, and registrations at providers of their own.",
    "providers": "The catalogue of what can be connected.",
    "connect sessions": "Invitations to connect an account, and their confirmation.",
    "management sessions": "Invitations to the page on which end users see and end what they have connected.",
    "connections": "What is connected: its state, its scopes, its health, and who has used it.",
    "imports": "Connections that come from another system, and what came of each row.",
    "bulk jobs": "One act on many connections, in the background, and what came of each.",
    "access grants": "Who else may use a connection, for what, until when.",
    "approvals": "What waits for somebody's yes, and the answer.",
    "end users": "What an end user has here, and their leaving.",
    "provider apps": "Your registrations at providers: shared by all tenants, or one tenant's own.",
    "incidents": "Faults of provider apps, told once instead of once for each connection.",
    "API clients": "Who may call, for what, with which keys. No client gives another more than it has itself.",
    "trusted issuers": "Whose tokens are believed: those of workloads, of end users and of agents.",
    "audit trail": "Who asked for what, and what was decided.",
    "events": "What has happened, in order.",
    "webhooks": "Where the same events are delivered, signed, and how far that has come.",
}
# POSTs that take no idempotency key. What a vend hands out may have ended since, and each use is audited; the proxy
# sends the key to the provider.
NOT_ONCE = ("vend_by_id", "vend_by_owner", "exchange_token", "proxy_post")
_KEY = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": False,
    "schema": {"type": "string", "pattern": "^[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,255}$"},
    "description": "a UUID of yours for this call: a repetition within 24 hours does nothing, and gets the same answer "
    f"with `{idempotency.REPLAYED}: true`. An answer that is an error is not kept",
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
# Changes that refuse If-Match; any other heeds it. A look at a domain overwrites nothing of the caller's, what is told
# of a source changes with each look, what an end user has is no one thing, and the proxy sends the condition on.
UNCONDITIONAL = (
    *("put_domain", "put_client_secret_source", "delete_end_user"),
    *("proxy_put", "proxy_patch", "proxy_delete"),
)
# Reads without an ETag: the provider's answer, and a stream whose end nobody knows when it begins.
UNTAGGED = ("proxy_get", "stream_audit_events")
_TAG = {"type": "string", "example": '"5d0f2f1c7bd4f2bfb5a0e1d9c4f0a3b6"'}
_IF_MATCH = {
    "in": "header",
    "name": conditional.IF_MATCH,
    "required": False,
    "schema": _TAG,
    "description": "the `ETag` that you have seen: nothing is changed if it has another one by now",
}
_IF_NONE_MATCH = {
    "in": "header",
    "name": conditional.IF_NONE_MATCH,
    "required": False,
    "schema": _TAG,
    "description": "the `ETag` that you have: if it is still the same, the answer is a 304 without a body",
}
_ANY_CALL = (
    "unauthorized",
    "permission_denied",
    "suspended",
    "client_held",
    "throttled",
    "issuer_unavailable",
    "busy",
    "database_unavailable",
    "internal_error",
)
_PROVIDER = ("app_misconfigured", "provider_unavailable", "credential_unreadable")
_USE = (
    *("approval_required", "policy_denied", "identity_token_refused", "insufficient_scope", "reauthorization_required"),
    *("pending", "subject_token_refused", "interaction_required", "subject_token_required", "paused", *_PROVIDER),
    *("quarantined", "answer_unreadable", "refresh_in_progress"),
)
_PROXY = (*_USE, "method_not_allowed", "request_timeout", "rate_limited", "answer_refused", "provider_timeout")
# What an operation may be refused with beyond what any call may, and what follows from its members.
_REFUSED: dict[str, tuple[str, ...]] = {
    "vend_by_id": (*_USE, "min_ttl_unavailable"),
    "vend_by_owner": (*_USE, "min_ttl_unavailable", "ambiguous_connection"),
    **{f"proxy_{method}": _PROXY for method in ("get", "post", "put", "patch", "delete")},
    "complete_connect_session": (
        *("completion_mismatch", "session_unusable", "exchange_failed", "no_workspace", "account_not_permitted"),
        *("account_mismatch", "answer_unreadable", *_PROVIDER),
    ),
    "create_connect_session": ("session_unusable", *_PROVIDER),
    "put_provider_app": _PROVIDER,
    "put_shared_provider_app": _PROVIDER,
    "renew_registered_client": _PROVIDER,
    "refresh_connection": ("paused", *_PROVIDER),
    "probe_connection": ("paused", *_PROVIDER),
    "report_connection": ("paused", *_PROVIDER),
    "revoke_connection": ("pending",),
    "send_test_event": ("credential_unreadable", "provider_unavailable"),
    "create_access_grant": ("policy_denied",),
    "approve": ("policy_denied",),
    "deny": ("policy_denied",),
    "put_sharing": ("policy_denied",),
    "list_events": ("cursor_expired",),
}


# A request of each kind that callers begin with.
_EXAMPLES: dict[str, dict[str, Any]] = {
    "ConnectSessionIn": {
        "end_user": "alice",
        "provider": "hubspot",
        "return_url": "https://app.example.com/connected",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    },
    "CompleteIn": {"completion_code": "cc_Uq1mGgh7Jm2m7tq0", "end_user": "alice"},
    "VendIn": {"end_user": "alice", "scopes": ["crm.objects.contacts.read"], "purpose": "sync", "agent": "importer"},
    "VendByOwnerIn": {"provider": "hubspot", "end_user": "alice", "min_ttl": 120},
    "ReportIn": {"version": "0192f1c5-7d0e-7c3a-9a52-2f6f6f0f5a11", "status": 401},
    "AccessGrantIn": {
        "subject": {"kind": "agent", "id": "support-bot"},
        "provider": "hubspot",
        "readonly": True,
        "paths": ["/crm/v3/**"],
        "expires_at": "2027-01-01T00:00:00Z",
    },
    "ManagementSessionIn": {"end_user": "alice", "return_url": "https://app.example.com/connected"},
    "TenantIn": {"name": "Acme", "return_urls": ["https://app.acme.example/connected"]},
    "ImportIn": {"provider": "hubspot", "rows": [{"end_user": "alice", "refresh_token": "eu1-0d4f-…"}]},
    "ImportRowsIn": {"part": 2, "rows": [{"end_user": "bob", "refresh_token": "eu1-77aa-…"}]},
}


def finish(document: dict[str, Any]) -> None:
    """Add servers, tags, problems and a meaning for every member to the document that ninja has made."""
    document["servers"] = [{"url": settings.API_URL, "description": "this installation"}]
    schemas = document["components"]["schemas"]
    document["components"]["securitySchemes"] = {_SECURITY: _SCHEME}
    gets, posts, *changes = (
        {item[method]["operationId"] for item in document["paths"].values() if method in item}
        for method in ("get", "post", "put", "patch", "delete")
    )
    conditional_changes = set().union(*changes) - {*UNCONDITIONAL}
    tags = set()
    # One dictionary may stand for several methods of an address.
    for operation in {id(one): one for item in document["paths"].values() for one in item.values()}.values():
        tags |= set(operation["tags"])
        operation["description"] = _as_markdown(operation["description"])
        operation["security"] = [{_SECURITY: []} if one else {} for one in operation["security"]]
        if operation["operationId"] in posts - {*NOT_ONCE}:
            operation["parameters"].append(dict(_KEY))
        if operation["operationId"] in conditional_changes:
            operation["parameters"].append(dict(_IF_MATCH))
        if operation["operationId"] in gets - {*UNTAGGED}:
            operation["parameters"].append(dict(_IF_NONE_MATCH))
            operation["responses"][200]["headers"] = {"ETag": {"description": "tells this answer", "schema": _TAG}}
            operation["responses"][304] = {"description": "it is what you have"}
        operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
        for parameter in operation["parameters"]:
            _tidy_up_parameter(parameter)
        _add_problems(operation)
    document["tags"] = [{"name": tag, "description": text} for tag, text in _TAGS.items() if tag in tags]
    for name, schema in schemas.items():
        _tidy_up(name, schema)
    schemas |= problem_schemas()
    for name in [*schemas.keys() - _referred_to(document)]:
        del schemas[name]  # a model of parameters: each is described where it is sent


def _tidy_up_parameter(parameter: dict[str, Any]) -> None:
    parameter["schema"].pop("title", None)
    described = parameter["schema"].pop("description", "") or parameter.get("description", "")
    parameter["description"] = _as_markdown(described or meaning_of("", parameter["name"]))


def _tidy_up(name: str, schema: dict[str, Any]) -> None:
    if "description" in schema:
        schema["description"] = _as_markdown(schema["description"])
    if name in _EXAMPLES:
        schema["examples"] = [_EXAMPLES[name]]
    for member, said in schema.get("properties", {}).items():
        said.pop("title", None)
        if not said.get("description") and (meaning := meaning_of(name, member)):
            said["description"] = meaning
        if is_secret(name, member):
            said["x-secret"] = True


def _referred_to(document: dict[str, Any]) -> set[str]:
    return set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))


def _as_markdown(text: str) -> str:
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def _add_problems(operation: dict[str, Any]) -> None:
    if operation["operationId"] == "exchange_token":
        return  # its errors are RFC 6749's
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in dict.fromkeys(_codes(operation)):
        by_status[status_of(code)].append(code)
    for status, codes in sorted(by_status.items()):
        refs = [{"$ref": f"#/components/schemas/{name_of(code)}"} for code in codes]
        schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
        answer = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {"application/problem+json": {"schema": schema}},
        }
        if status == 503 or "quarantined" in codes:
            answer["headers"] = {
                "Retry-After": {"description": "seconds after which to try again", "schema": {"type": "integer"}}
            }
        operation["responses"].setdefault(str(status), answer)
    operation["responses"]["default"] = {
        "description": "Any other problem",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _codes(operation: dict[str, Any]) -> Iterator[str]:
    yield from _ANY_CALL
    parameters = {parameter["name"] for parameter in operation["parameters"]}
    if conditional.IF_MATCH in parameters:
        yield "precondition_failed"
    if idempotency.HEADER in parameters:
        yield from ("idempotency_key_reused", "idempotency_key_in_use", "idempotent_answer_gone")
    if parameters or "requestBody" in operation:
        yield from ("invalid_request", "not_found")
    if "requestBody" in operation:
        yield "request_too_large"
    yield from _REFUSED.get(operation["operationId"], ())
