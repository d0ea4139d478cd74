"""Changes to entries, one at a time: each makes the entry wrong, and a fixture that is worth something notices it.

A change is made only where it can matter: an answer that tells no lifetime may be read in any way. What signs is
changed in ``signed_mutations``.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from providers.catalog.methods import OAuthMethod
from providers.catalog.schema import CatalogEntry
from providers.dialects.fixture import Fixture
from providers.dialects.life import Disagreement, Life
from tests.dialects.signed_mutations import of_what_signs

# An entry as a document, with other keys in one of its sections.
Changed = Callable[..., dict[str, Any]]
Change = tuple[str, dict[str, Any]]

_OTHER_FORMAT = {"form": "json", "json": "form"}
_OTHER_PROOF = {
    "client_secret_basic": "client_secret_post",
    "client_secret_basic_raw": "client_secret_post",
    "client_secret_post": "client_secret_basic",
    "none": "client_secret_post",
}
_BLAMES_US = {"means": "client_rejected"}
_NEVER = {"status": 418, "means": "grant_rejected"}
_DIES = ("code", "device", "password", "assertion", "saml", "exchange")


@dataclass(frozen=True)
class Mutant:
    """An entry with one change, of the kind ``what``."""

    what: str
    entry: CatalogEntry


def mutants(life: Life) -> Iterator[Mutant]:
    """Yield the entry of ``life`` with each change that its fixture could notice."""
    for what, changed in _changes(life):
        yield Mutant(what, CatalogEntry.model_validate(changed))


def is_noticed(life: Life, mutant: Mutant) -> bool:
    """Whether the life of the changed entry does not go as the vendor has it."""
    try:
        Life(life.fixture, mutant.entry, life.style).run()
    except Disagreement:
        return True
    return False


def _changes(life: Life) -> Iterator[Change]:
    said, method = life.fixture, life.method
    section = method.section()
    whole = life.entry.model_dump(mode="json", exclude_unset=True)

    def changed(part: str, **keys: Any) -> dict[str, Any]:
        document = deepcopy(whole)
        document[part] = {**document.get(part, {}), **keys}
        return document

    def of_the_section(**keys: Any) -> dict[str, Any]:
        return changed(section, **keys)

    if isinstance(method, OAuthMethod):
        yield from _of_a_token_endpoint(said, method, of_the_section)
    elif said.kind == "login":
        login = whole[section]["login"]
        yield from _of_a_login(said, login, lambda **keys: of_the_section(login={**login, **keys}))
    yield from of_what_signs(life, whole.get(section, {}), of_the_section)
    yield from _of_the_presentation(life, changed)
    yield from _of_the_probe(life, changed)


def _of_a_login(said: Fixture, login: dict[str, Any], other: Changed) -> Iterator[Change]:
    if login.get("body"):
        yield "body format", other(format=_OTHER_FORMAT[login.get("format", "json")])
    if login.get("token") is not None:
        yield "token path", other(token=f"{login['token']}/x")
    if said.lifetime is not None and said.expiry:
        yield "expiry form", other(expiry={"field": "another"})
    yield "error rules", other(errors=[{"status": 200, "means": "grant_rejected"}])


def _of_a_token_endpoint(said: Fixture, method: OAuthMethod, changed: Changed) -> Iterator[Change]:
    if "|" not in said.format and said.format != "query":
        yield "body format", changed(token_request_format=_OTHER_FORMAT[method.token_request_format])
    if said.client and "|" not in said.client and method.client_authentication in _OTHER_PROOF:
        yield "client authentication", changed(client_authentication=_OTHER_PROOF[method.client_authentication])
    if said.separator is not None and said.kind in ("code", "device", "exchange"):
        yield "separator", changed(scope_separator=";" if method.scope_separator == "," else ",")
    yield "token path", changed(token_pointer="" if method.token_pointer else "/another")
    yield "token path", changed(token_fields={**method.token_fields.model_dump(), "access_token": "another"})
    if said.kind in ("code", "device", "password") and said.refresh != "none":
        yield "token path", changed(token_fields={**method.token_fields.model_dump(), "refresh_token": "another"})
    if said.lifetime is not None and said.expiry:
        expiry = method.expiry.model_dump()
        yield "expiry form", changed(expiry={**expiry, "field": "another"})
        other = "seconds" if expiry["format"] != "seconds" else "milliseconds"
        yield "expiry form", changed(expiry={**expiry, "format": other})
    rules = [rule.model_dump(mode="json") for rule in method.errors]
    if rules:
        yield "error rules", changed(errors=[])
    status, _ = said.dead
    if said.kind in _DIES and said.refresh != "none" and life_can_end(method):
        yield "error rules", changed(errors=[{"status": status, **_BLAMES_US}, *rules])


def life_can_end(method: OAuthMethod) -> bool:
    """Whether a refusal can be blamed on us: a registration that an end user typed is theirs to mend."""
    return method.registers_client


def _of_the_presentation(life: Life, changed: Changed) -> Iterator[Change]:
    """A header or parameter that carries the credential, under another name."""
    said, shown = life.fixture, life.entry.presentations[life.style]
    if not said.api and not said.probe:
        return
    for part, wanted in (("headers", said.headers), ("query", said.query), ("body", said.body)):
        own = dict(getattr(shown, part))
        for name in own:
            if any(name.lower() == other.lower() for other in wanted):
                renamed = {f"{other}-Other" if other == name else other: value for other, value in own.items()}
                yield "presentation", changed("presentation", **{life.style: {**shown.model_dump(), part: renamed}})


def _of_the_probe(life: Life, changed: Changed) -> Iterator[Change]:
    probe = life.entry.probe
    if probe is None or not life.fixture.probe:
        return
    address, has_query, query = probe.url.partition("?")
    yield "probe", changed("probe", url=f"{address.rstrip('/')}/another{has_query}{query}")
    if not life.fixture.server:  # the greeting of an MCP server has a method of its own
        yield "probe", changed("probe", method="GET" if probe.method == "POST" else "POST")
    if not life.method.refusals:  # else what ends a credential is known without the entry's word
        yield "error rules", changed("probe", dead=[_NEVER])
