"""Hints: which keys of an entry say what a life disagreed about."""

import re
from collections.abc import Iterator, Mapping, Sequence

# The reason of a disagreement, and the keys that decide it; {s} is the style's section, {p} its presentation.
_BY_REASON: Sequence[tuple[str, Sequence[str]]] = (
    (r"scopes are not separated", ("{s}.scope_separator",)),
    (r"a challenge|no challenge|verifier", ("{s}.pkce",)),
    (r"is not asked for", ("scopes", "{s}.refresh_scope")),
    (r"the body is", ("{s}.token_request_format",)),
    (r"does not prove itself", ("{s}.client_authentication",)),
    (r"is not a name of this vendor's", ("{s}.token_parameter_names",)),
    (r"grant_type is", ("{s}.token_params", "{s}.token_parameter_names")),
    (r"refreshes go to another address", ("{s}.refresh_url",)),
    (r"seconds|takes it for", ("{s}.expiry", "{s}.default_lifetime_seconds")),
    (r"another member is taken|no usable access token", ("{s}.token_fields", "{s}.token_pointer")),
    (r"neither a well-formed success|could not be read", ("{s}.token_fields", "{s}.token_pointer", "{s}.errors")),
    (r"the refresh token is not found", ("{s}.token_fields.refresh_token", "{s}.token_pointer")),
    (r"refresh tokens rotate", ("{s}.refresh_tokens_rotate",)),
    (r"cannot be refreshed", ("{s}.token_fields.refresh_token", "{s}.refresh_scope")),
    (r"the probe asks elsewhere", ("probe.url", "probe.method")),
    (r"has no probe", ("probe",)),
    (r"does not send", ("probe.body",)),
    (r"it names ", ("probe.account_id",)),
    (r"names no account", ("probe.account_id",)),
    (r"is not accepted|is not .*\{", ("{p}",)),
    (r"has no revocation", ("{s}.revocation_url",)),
    (r"nothing is revoked|names no token", ("{s}.revocation",)),
    (r"no value is known", ("params", "{s}.fields")),
    (r"no address to use it at", ("base_url",)),
)
_BY_STEP: Mapping[str, Sequence[str]] = {
    "discovery": ("{s}.issuer", "{s}.protected_resource"),
    "authorization request": ("{s}.authorization_url", "{s}.authorization_params", "{s}.authorization_parameter_names"),
    "authorization response": ("{s}.callback",),
    "temporary credentials": ("{s}.temporary_url",),
    "token credentials": ("{s}.token_url",),
    "device authorization": ("{s}.device_authorization_url", "{s}.device_authorization_params"),
    "code exchange": ("{s}.token_url", "{s}.token_params", "{s}.request_headers"),
    "what is typed": ("{s}",),
    "exchange": ("{s}",),
    "lifetime": ("{s}.expiry", "{s}.default_lifetime_seconds"),
    "token response": ("{s}.token_fields", "{s}.token_pointer"),
    "workspace": ("workspaces",),
    "use": ("base_url", "{p}"),
    "probe": ("probe.url", "probe.dead", "probe.account_id"),
    "refresh": ("{s}.refresh_url", "{s}.refresh_params"),
    "second refresh": ("{s}.refresh_url", "{s}.token_fields.refresh_token"),
    "wrong client": ("{s}.errors",),
    "wrong key": ("{s}.errors", "probe.dead"),
    "dead grant": ("{s}.errors",),
    "revocation": ("{s}.revocation_url", "{s}.revocation"),
}


def keys_behind(step: str, reason: str, *, section: str, style: str) -> Sequence[str]:
    """Return the keys of an entry that most likely say otherwise than the dialect, the likeliest first. No I/O."""
    names = {"s": section, "p": f"presentation.{style}"}
    return list(dict.fromkeys(key.format(**names) for key in _keys(step, reason)))[:4]


def _keys(step: str, reason: str) -> Iterator[str]:
    for pattern, keys in _BY_REASON:
        if re.search(pattern, reason):
            yield from keys
    yield from _BY_STEP.get(step, ("{s}.errors",) if step.startswith("answer ") else ())
