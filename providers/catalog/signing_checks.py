"""What must hold where the provider app's own key or secret opens accounts: no end user may choose whose."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from providers.catalog.base_method import Method
from providers.catalog.host_checks import typed_by_end_user
from providers.catalog.methods import ClientCredentialsMethod, OAuthMethod
from providers.catalog.schema import CatalogEntry
from providers.catalog.signed_methods import SigningMethod
from providers.catalog.template import texts_of, uses


def signing_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what would let an end user name somebody else's account: the key, and what to do. No I/O.

    The provider app's key opens every account that trusts the app, and so does its secret where nobody consents.
    Whoever decides for which one it is used, or where what it brought is shown, gets that account, and an end user's
    browser may say anything.
    """
    for method in entry.methods.values():
        if not _opens_by_itself(method):
            continue
        chosen = sorted({param.name for param in typed_by_end_user(entry, method) if not param.choices})
        for key, text in _decisive(entry, method):
            for name in chosen:
                if uses(text, name):
                    yield (
                        f"{key}: the provider app's key or secret opens whichever {{{name}}} an end user types, which "
                        "may be somebody else's; let the operator's backend give it: a [[params]] with scope = "
                        '"invitation"'
                    )


def _opens_by_itself(method: Method) -> bool:
    if isinstance(method, SigningMethod):
        return method.signed.key == "app"
    return isinstance(method, ClientCredentialsMethod) and not method.own_registration


def _decisive(entry: CatalogEntry, method: Method) -> Iterator[tuple[str, str]]:
    """Yield key and text of every template that decides whose account is opened, or who sees what opens it."""
    section, shown = method.section(), entry.presentations[method.style]
    for name, url in method.urls.items() if not method.calls else ():
        yield f"{section}.{name}" if name == "issuer" else f"{section}.{name}_url", url
    if isinstance(method, OAuthMethod):
        yield from _texts(section, token_params=method.token_params, request_headers=method.request_headers)
        yield f"{section}.revocation.narrowed_url", method.revocation.narrowed_url
        yield from _texts(f"{section}.revocation", params=method.revocation.params)
        yield f"{section}.resource", method.resource
        asserted = method.client_assertion
        named = asserted.model_dump(include={"issuer", "subject"})
        yield from _texts(f"{section}.client_assertion", of=named, claims=asserted.claims)
    for key, value in method.texts.items():
        yield from ((f"{section}.{key}", text) for text in texts_of(value))
    for key, own in method.calls.items():
        yield f"{section}.{key}.url", own.call.url
        yield from _texts(f"{section}.{key}", headers=own.call.headers, body=own.call.body)
    place = f"presentation.{method.style}"
    yield from ((f"{place}.base_url", shown.base_url),) if shown.base_url else (("base_url", entry.base_url),)
    yield from _texts(place, headers=shown.headers, query=shown.query, body=shown.body)
    if entry.probe is not None:
        yield "probe.url", entry.probe.url
        yield from _texts("probe", headers=entry.probe.headers, body=entry.probe.body)
    if entry.workspaces is not None:
        yield "workspaces.url", entry.workspaces.url
        yield from _texts("workspaces", headers=entry.workspaces.headers)


def _texts(section: str, **places: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    for place, values in places.items():
        for name, value in values.items():
            yield from ((f"{section}.{place}.{name}", text) for text in texts_of(value))
