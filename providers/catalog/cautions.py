"""What an operator should know before using a style of an entry: it works, and costs some of the protection.

``manage.py providers`` and the admin show it where an app is made. What is wrong is ``providers.catalog.checks``.
"""

from collections.abc import Iterator

from providers.catalog.facts import Confidence
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import names

_PLACES = {
    "query": "in the query of each address, and addresses are written down: by servers, proxies and browsers",
    "base_url": "in the path of each address, and addresses are written down: by servers, proxies and browsers",
    "body": "in the body of each request, where it is easily written down with the data",
}

_PROXY_ONLY = (
    "No caller gets its credential: each request has to be signed or sent by Latchkey itself, so that it is "
    "used through the proxy only."
)


def cautions_of(entry: CatalogEntry, style: str) -> tuple[str, ...]:
    """Return a sentence for each thing to know about connecting to ``entry`` by ``style``. No I/O."""
    method = entry.methods.get(style)
    if method is None:
        return ()
    told = (*_doubts(entry, style), *method.cautions, *_exposures(entry, style))
    return (*told, _PROXY_ONLY) if method.proxy_only else told


def _doubts(entry: CatalogEntry, style: str) -> Iterator[str]:
    """Yield a sentence if nobody has confirmed what the entry says about this style."""
    if entry.facts is not None and entry.confidence_of(style) is Confidence.LOW:
        yield (
            f"Unverified: what the entry says about {entry.name} has one source or none ({entry.facts.checked_on}). "
            f"Compare it with the provider's documentation and try it with an account of your own before others use it."
        )


def _exposures(entry: CatalogEntry, style: str) -> Iterator[str]:
    """Yield a sentence for each place other than a header into which a secret goes."""
    method = entry.methods[style]
    shown = {item.name for item in method.typed_fields if not item.secret}
    secrets = method.secret_names - shown
    for place, templates in entry.presentations[style].exposed.items():
        if any(names(template) & secrets for template in templates):
            yield (
                f"The credential travels {_PLACES[place]}. If {entry.name} also takes it in a header, describe that in "
                f"[presentation.{style}.headers]."
            )
