"""The probe of a catalogue entry: one cheap authenticated call, and what its answer says about the credential.

Every auth style shares it. Getting no answer is a verdict, not an error.
"""

from dataclasses import replace

from providers import mcp_server
from providers.catalog.calls import Probe
from providers.catalog.pointer import text_at
from providers.catalog.resolve import Target
from providers.catalog.template import lacking
from providers.errors import CertificateRefused, Evidence, MisconfiguredProvider, ProviderError, ProviderUnavailable
from providers.oauth import identity
from providers.oauth.challenge import challenge_in
from providers.oauth.classify import (
    SIGNATURES_APART_SECONDS,
    clocks_apart_seconds,
    first_match,
    json_document,
    retry_after_seconds,
)
from providers.oauth.token_response import scopes_in
from providers.response import Response
from providers.strategies.calling import Sending, make_call
from providers.strategies.presenting import addressed, template_values
from providers.strategies.workspaces import listed_workspaces
from providers.values import Account, Credential, Presentation, ProbeResult
from providers.vocabulary import Meaning, ProbeVerdict

_LONGEST_TEXT = 255


def can_probe(target: Target) -> bool:
    """Whether the entry describes a call that proves the credential."""
    return target.entry.probe is not None and bool(target.endpoints.probe)


def probe(
    target: Target, credential: Credential, presentation: Presentation, sending: Sending | None = None
) -> ProbeResult:
    """Make the entry's probe with ``presentation``, sent as ``sending`` says. Calls the provider.

    Only the catalogue's dead answer means DEAD. ALIVE needs a success that names the account, if the entry says where:
    a login page or an unknown error behind a 200 proves nothing. FORBIDDEN is also the verdict if the grant no longer
    opens the connection's workspace. Raises ``MisconfiguredProvider`` if the entry has no probe.
    """
    described = target.entry.probe
    if described is None or not target.endpoints.probe:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} describes no probe.", sent=False))
    values = template_values(target, credential)
    if missing := lacking([described.url], values):
        return ProbeResult(ProbeVerdict.UNAVAILABLE, detail=f"Probe: the credential lacks {missing}.")
    url = addressed(target.endpoints.probe, credential)
    shown = {"headers": presentation.headers, "query": presentation.query, "body": presentation.body}
    try:
        if described.speaks == "mcp":
            response = mcp_server.initialize(url, headers=presentation.headers)
        else:
            response = make_call(described, url, values, sending=sending, **shown)
    except CertificateRefused as refused:
        return ProbeResult(ProbeVerdict.DEAD, detail=f"Probe: {refused.evidence.detail}")
    except ProviderError as error:
        return ProbeResult(
            ProbeVerdict.UNAVAILABLE,
            status=error.evidence.status,
            detail=f"Probe: {error.evidence.detail}",
            unanswered=isinstance(error, ProviderUnavailable),
        )
    return _verdict(target, described, response)


def _verdict(target: Target, described: Probe, response: Response) -> ProbeResult:
    rule = first_match((*target.method.refusals, *described.dead), response)
    apart = clocks_apart_seconds(response.headers) if target.method.signs_requests else 0.0
    if rule is not None and rule.means is Meaning.CLIENT_REJECTED:
        refused = _result(response, ProbeVerdict.UNAVAILABLE, "the provider refuses our client registration.")
        return replace(refused, refuses_client=True)
    ends = rule is not None and bool({rule.value, rule.contains} & target.method.words_of_the_end)
    if rule is not None and rule.means is Meaning.GRANT_REJECTED and apart > SIGNATURES_APART_SECONDS and not ends:
        told = f"the provider refuses what is signed by our clock, which is {apart:.0f} s from its own."
        return _result(response, ProbeVerdict.UNAVAILABLE, told)
    if rule is not None and rule.means is Meaning.GRANT_REJECTED:
        return _result(response, ProbeVerdict.DEAD, "the provider refuses the credential.")
    if rule is not None and rule.means is Meaning.ADDRESS_REFUSED:
        refused = _result(response, ProbeVerdict.FORBIDDEN, "the provider takes no calls from our address.")
        return replace(refused, refuses_address=True)
    if rule is None and response.status == 403:
        forbidden = _result(response, ProbeVerdict.FORBIDDEN, "the credential may not make this call.")
        return replace(forbidden, scopes=_scopes(described, response), lacks=_lacks(response))
    if rule is not None or not 200 <= response.status < 300:
        return _result(response, ProbeVerdict.UNAVAILABLE, "the provider cannot answer now.")
    if described.speaks == "mcp" and mcp_server.greeting_in(response) is None:
        return _result(response, ProbeVerdict.UNAVAILABLE, "the answer is no MCP server's.")
    if described.lists_workspaces:
        return _listing(target, response)
    account = _account(target, described, response) if described.account_id else None
    if described.account_id and account is None:
        return _result(response, ProbeVerdict.UNAVAILABLE, "the answer names no account.")
    return _alive(response, account, scopes=_scopes(described, response))


def _scopes(described: Probe, response: Response) -> tuple[str, ...] | None:
    header = response.headers.get(described.scopes_header) if described.scopes_header else None
    return scopes_in(header, separator=",")


def _lacks(response: Response) -> tuple[str, ...]:
    """Return the scopes for want of which the provider refuses the call; () if it has another reason."""
    said = challenge_in(response.headers.get("WWW-Authenticate", ""))
    return (scopes_in(said.get("scope")) or ()) if said.get("error") == "insufficient_scope" else ()


def _listing(target: Target, response: Response) -> ProbeResult:
    """Judge an answer that lists the workspaces of the grant. The connection's own workspace is its account."""
    found = listed_workspaces(target, response)
    if found is None:
        return _result(response, ProbeVerdict.UNAVAILABLE, "the answer is no list of workspaces.")
    for item in found:
        if item.id == target.workspace_id:
            return _alive(response, Account(id=item.id, name=item.name))
    return _result(response, ProbeVerdict.FORBIDDEN, "the grant does not open this workspace.")


def _account(target: Target, described: Probe, response: Response) -> Account | None:
    """Return the account that the answer names, unique within the connection's workspace or company; None if none."""
    try:
        signed = identity.is_signed(response)
        document = identity.signed_claims(target, response) if signed else json_document(response)
    except ProviderError:
        return None
    parts = [text_at(document, pointer) for pointer in described.account_id.split()]
    identifier = ":".join([*target.account_within, *parts])
    if not all(parts) or len(identifier) > _LONGEST_TEXT:
        return None
    name = text_at(document, described.account_name) if described.account_name else ""
    return Account(id=identifier, name=name[:_LONGEST_TEXT])


def _alive(response: Response, account: Account | None, *, scopes: tuple[str, ...] | None = None) -> ProbeResult:
    return ProbeResult(
        ProbeVerdict.ALIVE,
        status=response.status,
        detail="Probe: the provider accepts the credential.",
        account=account,
        scopes=scopes,
    )


def _result(response: Response, verdict: ProbeVerdict, detail: str) -> ProbeResult:
    waits = retry_after_seconds(response.headers)
    return ProbeResult(verdict, status=response.status, detail=f"Probe: {detail}", retry_after_seconds=waits)
