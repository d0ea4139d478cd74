"""Whose refusal it is when our client registration is refused: the provider's, or that of a host an end user named."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.catalog.resolve import Target
from providers.errors import ClientRejected


@contextmanager
def blame_typed_host(target: Target) -> Iterator[None]:
    """Mark a refusal of our registration by a host that the connection's end user named: it is no incident of ours."""
    try:
        yield
    except ClientRejected as rejected:
        rejected.by_typed_host = target.has_typed_host
        raise
