"""What a provider app may say: its texts, scopes, parameters and stored secrets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from connections.access.secrets import open_registration
from connections.access.targets import registrar_of
from connections.lifecycle.credentials.scopes import not_allowed
from connections.models import ProviderApp
from connections.refusals import InvalidRequest
from connections.vault.sealing import Unreadable
from providers.catalog.schema import CatalogEntry
from providers.vocabulary import ParamScope

if TYPE_CHECKING:
    from connections.lifecycle.provision.provider_apps import Registration

_NOT_SENDABLE = "This is too long, or has characters that OAuth does not know: copy it again."
_LONGEST = {"client_id": 500, "client_secrets": 4096, "scopes": 255, "required_scopes": 255, "allowed_scopes": 255}


def _is_sendable(text: str, *, is_coded: bool, longest: int) -> bool:
    return text.isprintable() and len(text) <= longest and (is_coded or text.isascii())


def check_client_secrets(secrets: Sequence[str]) -> None:
    """Raise ``InvalidRequest`` for a client secret that no request can carry. No I/O."""
    if not all(_is_sendable(secret, is_coded=True, longest=_LONGEST["client_secrets"]) for secret in secrets):
        raise InvalidRequest(_NOT_SENDABLE, field="client_secrets")


def check_texts(registration: "Registration") -> None:
    """Raise ``InvalidRequest`` for a text that no request can carry.

    OAuth knows ASCII alone (RFC 6749 appendix A), and encodes everything else in a client's id and secret (§2.3.1).
    """
    for field_name, texts in (
        ("client_id", (registration.client_id,)),
        ("client_secrets", registration.client_secrets or ()),
        ("scopes", registration.scopes),
        ("required_scopes", registration.required_scopes),
        ("allowed_scopes", registration.allowed_scopes or ()),
    ):
        is_coded = not field_name.endswith("scopes")
        if not all(_is_sendable(text, is_coded=is_coded, longest=_LONGEST[field_name]) for text in texts):
            raise InvalidRequest(_NOT_SENDABLE, field=field_name)


def check_scopes(registration: "Registration", described: CatalogEntry) -> None:
    """Raise ``InvalidRequest`` for scopes that contradict each other, or that nobody can ask for. No I/O."""
    asked = registration.scopes or described.default_scopes
    named = {"scopes": asked, "required_scopes": registration.required_scopes}
    if registration.required_scopes and not described.methods[registration.auth_style].takes_scopes:
        raise InvalidRequest(
            f"Nobody asks {described.name} for scopes by this style: leave them out.", field="required_scopes"
        )
    for field_name, scopes in named.items():
        if denied := not_allowed(scopes, allowed=registration.allowed_scopes, rules=described.scope_rules):
            raise InvalidRequest(
                f"The app is to ask for {', '.join(denied)}, which its allowed scopes do not have: add them there, or"
                " name others to ask for.",
                field=field_name,
            )


def check_kept_secrets(app: ProviderApp) -> None:
    """Raise ``InvalidRequest`` unless the stored client secrets belong to the party at which the changed app points.

    A person who may change the app may not read its secrets. If the secrets were kept after a change of endpoints, that
    person could have them sent to a server of their own.
    """
    try:
        is_meant = open_registration(app).registrar == registrar_of(app)
    except Unreadable:
        raise InvalidRequest(
            "The stored client secrets do not open: enter them again.", field="client_secrets"
        ) from None
    if not is_meant:
        raise InvalidRequest(
            "This changes where the client secrets are sent (the client id, or an endpoint): enter them again.",
            field="client_secrets",
        )


def checked_app_params(described: CatalogEntry, given: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of an app, with the entry's defaults. Raises ``InvalidRequest`` naming the one at fault."""
    declared = {param.name: param for param in described.params_of(ParamScope.APP)}
    for name in given:
        if name not in declared:
            raise InvalidRequest(f"{described.name} has no parameter {name!r}.", field=f"params.{name}")
    params = {}
    for name, param in declared.items():
        value = given.get(name, "") or param.default
        if not param.accepts(value):
            raise InvalidRequest(f"The parameter {name!r} ({param.label}) is missing or malformed.", field=name)
        params[name] = value
    return params
