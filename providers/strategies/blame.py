"""Says whose fault a refusal is: the operator's, an end user's who typed something, or our clock's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from providers.catalog.resolve import Target
from providers.errors import ClientRejected, GrantRejected, ProviderUnavailable
from providers.oauth.classify import SIGNATURES_APART_SECONDS


@contextmanager
def blamed(target: Target) -> Iterator[None]:
    """Say whose fault a refusal of what ``target`` was sent is.

    A refusal of our registration by a host that the connection's end user typed is marked: it must open no incident. A
    refusal of what we signed, by a server whose clock is another, says nothing about the grant or the registration. It
    does where the signature only proves who the client is, and the server says that the grant is at fault.
    """
    try:
        yield
    except (GrantRejected, ClientRejected) as rejected:
        names_grant = isinstance(rejected, GrantRejected) and rejected.evidence.error == "invalid_grant"
        signed = target.method.signs_grants or (target.method.signs_token_requests and not names_grant)
        apart = rejected.clocks_apart_seconds
        if not signed or apart <= SIGNATURES_APART_SECONDS:
            if isinstance(rejected, ClientRejected):
                rejected.by_typed_host = target.has_typed_host
            raise
        told = f"The provider refuses what is signed by our clock, which is {apart:.0f} s from its own."
        evidence = replace(rejected.evidence, detail=told)
    else:
        return
    raise ProviderUnavailable(evidence)


@contextmanager
def blame_typed_registration(target: Target) -> Iterator[None]:
    """Make of a refusal of the client one of the grant, if the end user typed who the client is: no app is at fault."""
    try:
        yield
    except ClientRejected as rejected:
        if target.method.registers_client:
            raise
        refusal = rejected.of_the_grant()
    else:
        return
    raise refusal
