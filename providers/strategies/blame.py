"""Tells whether a refusal of our client registration comes from the provider or from a host that an end user typed."""

from collections.abc import Iterator
from contextlib import contextmanager

from providers.catalog.resolve import Target
from providers.errors import ClientRejected


@contextmanager
def blame_typed_host(target: Target) -> Iterator[None]:
    """Mark a refusal of our registration by a host that the connection's end user typed: it must open no incident."""
    try:
        yield
    except ClientRejected as rejected:
        rejected.by_typed_host = target.has_typed_host
        raise
