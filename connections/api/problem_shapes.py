"""What the OpenAPI document says of each problem: when it comes, and which further members it has. No I/O.

The statuses are in ``problems``. The codes never change; members may be added.
"""

from typing import Any

from connections.api.problems import STATUS_OF

_TEXT = {"type": "string"}
_URL = {"type": "string", "format": "uri"}
_ID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time"}
_TEXTS = {"type": "array", "items": _TEXT}

# The further members, by name. None of them is in every answer with a code: where it helps, it is there.
_MEMBERS: dict[str, dict[str, Any]] = {
    "approval": _ID | {"description": "id of the question that waits for an answer"},
    "approve_url": _URL | {"description": "where a person answers it"},
    "claims": _TEXT | {"description": 'what the end user\'s new sign-in has to ask for; "" for nothing in particular'},
    "connect_url": _URL | {"description": "a page on which the end user mends it: open it for them"},
    "connection": _ID | {"description": "id of the connection that is in the way"},
    "connections": {
        "type": "array",
        "items": {"$ref": "#/components/schemas/ConnectionChoice"},
        "description": "those that match: name the `label`, or vend by the `id`, of one",
    },
    "cursor": _TEXT | {"description": "the cursor at which the kept events begin"},
    "errors": {
        "type": "array",
        "items": {"$ref": "#/components/schemas/MemberFault"},
        "description": "each member that is not valid",
    },
    "expires_at": _TIME | {"description": "until when the question waits for an answer"},
    "failure": _TEXT | {"description": "a stable word for what became of the session"},
    "field": _TEXT | {"description": "the dotted name of the member or parameter at fault"},
    "grant": _ID | {"description": "id of the access grant that asks for it, or that came nearest to allowing it"},
    "held_until": _TIME | {"description": "until when the same confirmation may be repeated"},
    "longest_seconds": {"type": "integer", "description": "the longest lifetime that can be had"},
    "missing_scopes": _TEXTS | {"description": "scopes that were not granted"},
    "redirects_to": _URL | {"description": "where the provider's answer leads: fetch it without a credential"},
    "reason": _TEXT | {"description": "a stable word that says why"},
    "rule": _TEXT | {"description": "the stable name of the rule that denies it"},
    "website": _URL | {"description": "the provider's website, where the end user can change that"},
}

# By code: what it means and what to do, and the further members that it may have.
MEANINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "invalid_request": ("The request cannot be carried out as it is.", ("field", "errors")),
    "unauthorized": ("No valid API key or token came with the call.", ()),
    "permission_denied": ("The API client lacks the permission that the call needs.", ()),
    "identity_token_refused": ("The token in `field` is not one that is trusted for this tenant.", ("field",)),
    "not_found": ("There is no such thing, or it is another tenant's.", ("connect_url",)),
    "method_not_allowed": ("The address does not know the request's method.", ()),
    "reauthorization_required": (
        "The grant no longer works: send the end user to `connect_url`.",
        ("connect_url", "reason"),
    ),
    "pending": ("The connection waits for its confirmation.", ()),
    "ambiguous_connection": ("More than one connection matches: name one of `connections`.", ("connections",)),
    "account_mismatch": ("The end user chose another account at the provider than before.", ("connection",)),
    "exchange_failed": ("The provider refused what the end user brought; nothing was connected.", ("reason",)),
    "no_workspace": ("The end user's account has nothing to connect to yet.", ("website",)),
    "account_not_permitted": ("The end user's account lacks a right that connecting needs.", ("website",)),
    "completion_mismatch": (
        "The completion code is of another session, or the end user is another one. What was held is destroyed.",
        (),
    ),
    "approval_required": (
        "Somebody has to approve this first, at `approve_url`: then repeat the request.",
        ("approval", "approve_url", "grant", "expires_at"),
    ),
    "policy_denied": ("This caller may not do this with this connection.", ("rule", "grant")),
    "insufficient_scope": (
        "The connection lacks `missing_scopes`: let the end user connect again.",
        ("missing_scopes", "connect_url"),
    ),
    "min_ttl_unavailable": ("No credential lives for as long as `min_ttl` asks.", ("field", "longest_seconds")),
    "subject_token_required": ("The connection acts for whoever you serve: send their `subject_token`.", ("field",)),
    "subject_token_refused": ("The provider refuses the subject's token: take a fresh one.", ("reason", "field")),
    "interaction_required": (
        "The end user has to sign in again, asking for the `claims`: then vend with the new token.",
        ("claims", "reason", "field"),
    ),
    "precondition_failed": ("It has changed since you read it (`If-Match`): read it again, and decide anew.", ()),
    "idempotency_key_reused": ("The idempotency key stands for another request: take a new one.", ("field",)),
    "idempotency_key_in_use": ("The first call with this idempotency key is under way: ask again.", ()),
    "idempotent_answer_gone": ("The call was carried out, and its answer was forgotten since.", ()),
    "session_unusable": ("The session is expired, used, failed or not yours; `failure` says which.", ("failure",)),
    "cursor_expired": ("Events after your cursor are gone: read the connections, then go on here.", ("cursor",)),
    "not_acceptable": ("The endpoint answers in another media type than the request accepts.", ()),
    "unsupported_media_type": ("The request's body is of another media type than the endpoint reads.", ()),
    "request_timeout": ("The request's body stood still for too long.", ()),
    "request_too_large": ("The request's body is larger than may be sent.", ()),
    "rate_limited": ("The provider's rate limit leaves no turn for you yet: try again after `Retry-After`.", ()),
    "throttled": ("Your API client is slowed down for suspicious use: try again after `Retry-After`.", ()),
    "client_held": ("Your API client is held for suspicious use: have its key rotated, or vouched for.", ()),
    "suspended": ("An operator has switched this off.", ()),
    "paused": ("An operator has paused this, and no valid credential is left.", ()),
    "quarantined": (
        "The database was put back, and its refresh token waits for an operator: try again after `Retry-After`.",
        ("connect_url",),
    ),
    "credential_unreadable": ("A key of the vault is missing. Nothing is wrong with the grant.", ()),
    "app_misconfigured": ("The provider refuses your client registration.", ("reason", "held_until")),
    "answer_unreadable": (
        "The provider's answer could not be read. It is kept: mend the catalogue entry.",
        ("reason", "held_until"),
    ),
    "answer_refused": (
        "The provider's answer is not passed on; `reason` says why.",
        ("reason", "redirects_to"),
    ),
    "provider_unavailable": ("The provider cannot answer now: try again after `Retry-After`.", ("held_until",)),
    "refresh_in_progress": ("The credential is being refreshed: try again after `Retry-After`.", ()),
    "issuer_unavailable": ("The keys of a token's issuer cannot be had: try again after `Retry-After`.", ()),
    "busy": (
        "It cannot be done at the moment: try again after `Retry-After`.",
        (),
    ),
    "database_unavailable": (
        "The database cannot be asked now: try again after `Retry-After`, a change with its `Idempotency-Key`.",
        (),
    ),
    "provider_timeout": ("The provider took longer than its entry lets it.", ()),
    "internal_error": ("Something went wrong here; it is in the operator's log.", ()),
}


def status_of(code: str) -> int:
    """Return the status with which a problem is answered."""
    return STATUS_OF.get(code, 500)


def name_of(code: str) -> str:
    """Return the name of a problem's schema: ``PolicyDeniedProblem``."""
    return "".join(word.capitalize() for word in code.split("_")) + "Problem"


def problem_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas of all problems by name, with ``Problem``, which is any of them."""
    schemas = {name_of(code): _schema(code) for code in MEANINGS}
    return {
        **schemas,
        "MemberFault": _object(
            "What is wrong with one member of a request.",
            {
                "field": _TEXT | {"description": "its dotted name"},
                "message": _TEXT | {"description": "the rule that it breaks; never what was sent"},
            },
        ),
        "ConnectionChoice": _object(
            "One of several connections that match.",
            {
                "id": _ID | {"description": "its id"},
                "label": _TEXT | {"description": 'its label, "" for none'},
                "account": _TEXT | {"description": "the account at the provider"},
            },
        ),
        "Problem": {
            "title": "Problem",
            "description": "Why a request was refused (RFC 9457). `code` is stable, and says which.",
            "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas],
            "discriminator": {
                "propertyName": "code",
                "mapping": {code: f"#/components/schemas/{name_of(code)}" for code in MEANINGS},
            },
        },
    }


def _schema(code: str) -> dict[str, Any]:
    meaning, members = MEANINGS[code]
    document = _object(
        meaning,
        {
            "type": _TEXT | {"description": "always `about:blank`"},
            "title": _TEXT | {"description": "the status in words"},
            "status": {"type": "integer", "description": f"the HTTP status, usually {status_of(code)}"},
            "code": {"type": "string", "const": code, "description": "what it is, for programs; it never changes"},
            "detail": _TEXT | {"description": "what it is, and what to do, for people"},
        },
    )
    document["properties"] |= {name: _MEMBERS[name] for name in members}
    return document | {"title": name_of(code)}


def _object(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
    }
