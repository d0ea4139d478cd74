"""What must hold where the provider app's own key or secret opens accounts: no end user may choose whose."""

from collections.abc import Iterator

from providers.catalog.methods import ClientCredentialsMethod, Method, OAuthMethod
from providers.catalog.schema import CatalogEntry
from providers.catalog.signed_methods import SigningMethod, texts_of
from providers.catalog.template import uses
from providers.vocabulary import ParamScope

_TYPED = (ParamScope.CONNECTION, ParamScope.CALLBACK)


def signing_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what would let an end user name somebody else's account: the key, and what to do. No I/O.

    The provider app's key opens every account that trusts the app, and so does its secret where nobody consents.
    Whoever decides for which one it is used gets that account, and an end user's browser may say anything.
    """
    for method in entry.methods.values():
        if not _opens_by_itself(method):
            continue
        chosen = {param.name for scope in _TYPED for param in entry.params_of(scope) if not param.choices}
        if isinstance(method, SigningMethod):
            chosen |= method.told_names
        for key, text in _decisive(method):
            for name in sorted(chosen):
                if uses(text, name):
                    yield (
                        f"{method.section()}.{key}: the provider app's key or secret opens whichever {{{name}}} an end "
                        "user types, which may be somebody else's; let the operator's backend give it: a [[params]] "
                        'with scope = "invitation"'
                    )


def _opens_by_itself(method: Method) -> bool:
    if isinstance(method, SigningMethod):
        return method.signed.key == "app"
    return isinstance(method, ClientCredentialsMethod) and not method.own_registration


def _decisive(method: Method) -> Iterator[tuple[str, str]]:
    """Yield key and text of every template that decides whose account is opened."""
    if isinstance(method, OAuthMethod):
        yield "token_url", method.token_url
        yield from ((f"token_params.{name}", text) for name, text in method.token_params.items())
    if not isinstance(method, SigningMethod):
        return
    for key, value in method.texts.items():
        yield from ((key, text) for text in texts_of(value))
    for key, own in method.calls.items():
        yield f"{key}.url", own.call.url
        yield from ((f"{key}.body", text) for text in texts_of(own.call.body))
