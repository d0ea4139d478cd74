"""The probe of a catalogue entry: one cheap authenticated call, and what its answer says of the credential.

Shared by every auth style. A failure to get an answer is a verdict, not an error.
"""

from collections.abc import Iterator
from typing import Any

from providers import egress
from providers.catalog.resolve import Target
from providers.catalog.schema import Probe
from providers.catalog.template import fill
from providers.errors import Evidence, MisconfiguredProvider, ProviderError
from providers.oauth.classify import first_match, json_document, json_object, retry_after_seconds
from providers.oauth.token_response import scopes_in
from providers.response import Response
from providers.strategies.presenting import template_values
from providers.values import Account, Credential, Presentation, ProbeResult
from providers.vocabulary import Meaning, ProbeVerdict

_MAX_BODY_BYTES = 1_048_576  # some only have a list to offer; it is read once and not kept
_LONGEST_TEXT = 255


def can_probe(target: Target) -> bool:
    """Whether the entry describes a call that proves the credential."""
    return target.entry.probe is not None and bool(target.endpoints.probe)


def probe(target: Target, credential: Credential, presentation: Presentation) -> ProbeResult:
    """Make the entry's probe with ``presentation``. Calls the provider.

    DEAD only by the catalogue's dead answer. ALIVE needs a success that names the account, where the entry says how:
    a login page or an unknown error behind a 200 proves nothing. Raises ``MisconfiguredProvider`` without a probe.
    """
    described = target.entry.probe
    if described is None or not target.endpoints.probe:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} describes no probe.", sent=False))
    values = template_values(target, credential)
    body = {name: fill(value, values) for name, value in described.body.items()}
    try:
        response = egress.request(
            described.method,
            fill(target.endpoints.probe, credential.extra),
            headers={"Accept": "application/json"} | dict(presentation.headers),
            params=presentation.query,
            json=body or None,
            max_body_bytes=_MAX_BODY_BYTES,
        )
    except ProviderError as error:
        return ProbeResult(
            ProbeVerdict.UNAVAILABLE, status=error.evidence.status, detail=f"Probe: {error.evidence.detail}"
        )
    return _verdict(described, response)


def _verdict(described: Probe, response: Response) -> ProbeResult:
    document = json_document(response)
    rule = first_match(described.dead, status=response.status, document=json_object(response))
    if rule is not None and rule.means is Meaning.GRANT_REJECTED:
        return _result(response, ProbeVerdict.DEAD, "the provider refuses the credential.")
    if rule is None and response.status == 403:
        return _result(response, ProbeVerdict.FORBIDDEN, "the credential may not make this call.")
    if rule is not None or not 200 <= response.status < 300:
        return _result(response, ProbeVerdict.UNAVAILABLE, "the provider cannot answer now.")
    account: Account | None = None
    if described.account_id:
        identifier = _text_at(document, described.account_id)
        if not identifier or len(identifier) > _LONGEST_TEXT:
            return _result(response, ProbeVerdict.UNAVAILABLE, "the answer names no account.")
        name = _text_at(document, described.account_name) if described.account_name else ""
        account = Account(id=identifier, name=name[:_LONGEST_TEXT])
    header = response.headers.get(described.scopes_header) if described.scopes_header else None
    return ProbeResult(
        ProbeVerdict.ALIVE,
        status=response.status,
        detail="Probe: the provider accepts the credential.",
        account=account,
        scopes=scopes_in(header, separator=","),
    )


def _result(response: Response, verdict: ProbeVerdict, detail: str) -> ProbeResult:
    waits = retry_after_seconds(response.headers)
    return ProbeResult(verdict, status=response.status, detail=f"Probe: {detail}", retry_after_seconds=waits)


def _text_at(document: Any, pointer: str) -> str:
    """Return the printable text or whole number that the JSON Pointer (RFC 6901) leads to, else ""."""
    for step in _steps(pointer):
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and step.isascii() and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return ""
    if isinstance(document, bool) or not isinstance(document, str | int):
        return ""
    return "".join(mark for mark in str(document) if mark.isprintable())


def _steps(pointer: str) -> Iterator[str]:
    return (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
