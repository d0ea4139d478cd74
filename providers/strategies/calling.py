"""Making a call that an entry describes: its templates, filled in, and one request. Shared by all styles."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from providers import egress
from providers.catalog.calls import Call
from providers.catalog.template import render
from providers.egress import Signer
from providers.response import Response
from providers.values import ClientCertificate, Presentation

_MAX_BODY_BYTES = 1_048_576  # some providers offer only a list; it is read once and not kept


@dataclass(frozen=True, slots=True)
class Sending:
    """How a request has to leave, beyond what it holds: signed by ``sign``, with a client ``certificate``."""

    sign: Signer | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A credential as a request of ours gets it.

    ``shown`` is how it goes into the request, ``sendings`` are the ways in which that may leave, the preferred first.
    ``secrets`` are the texts that give the credential away, or a part of it: they must not come back.
    """

    shown: Presentation
    sendings: tuple[Sending, ...]
    secrets: tuple[str, ...] = field(repr=False)


def make_call(
    described: Call,
    url: str,
    values: Mapping[str, str],
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, str] | None = None,
    sending: Sending | None = None,
) -> Response:
    """Send the request that ``described`` is to ``url``, and return the answer, whatever its status. HTTP.

    ``values`` holds what its templates name. ``headers``, ``query`` and ``body`` are added, as a credential's
    presentation has them. Raises what ``egress.request`` does: none of that shows an address.
    """
    sent = {name: _filled(value, values) for name, value in described.body.items()} | dict(body or {})
    is_form = described.format == "form"
    document = sent or ({} if described.empty_body == "object" else None)
    own = {name: render(value, values) for name, value in described.headers.items()}
    return egress.request(
        described.method,
        url,
        headers={"Accept": "application/json"} | own | dict(headers or {}),
        params=query,
        json=None if is_form else document,
        form={name: str(value) for name, value in sent.items()} if is_form else None,
        sign=sending.sign if sending is not None else None,
        certificate=sending.certificate if sending is not None else None,
        max_body_bytes=_MAX_BODY_BYTES,
    )


def _filled(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    """Return ``value`` with every text in it filled in; keys stay unchanged."""
    if isinstance(value, str):
        return render(value, values, loosely=True)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return {name: _filled(item, values) for name, item in value.items()} if isinstance(value, dict) else value
