"""Says whose fault a refusal of our client registration is: the operator's, or an end user's who typed something."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.catalog.resolve import Target
from providers.errors import ClientRejected, GrantRejected


@contextmanager
def blame_typed_host(target: Target) -> Iterator[None]:
    """Mark a refusal of our registration by a host that the connection's end user typed: it must open no incident."""
    try:
        yield
    except ClientRejected as rejected:
        rejected.by_typed_host = target.has_typed_host
        raise


@contextmanager
def blame_typed_registration(target: Target) -> Iterator[None]:
    """Make of a refusal of the client one of the grant, if the end user typed who the client is: no app is at fault."""
    try:
        yield
    except ClientRejected as rejected:
        if target.method.registers_client:
            raise
        evidence = rejected.evidence
    else:
        return
    raise GrantRejected(evidence)
