"""The choice after consent: a grant may open several sites or organisations, and a connection is about one of them.

Owns the call that lists them. The lifecycle decides who picks and where the list is kept until then. The chosen id
comes back as one of the connection's parameters (``Workspace.params``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers import egress
from providers.catalog.pointer import text_at, value_at
from providers.catalog.resolve import Target
from providers.catalog.template import check_values, fill, render
from providers.errors import (
    Evidence,
    GrantRejected,
    MalformedResponse,
    MisconfiguredProvider,
    NotPermitted,
    NoWorkspace,
)
from providers.oauth.classify import failure_of, json_document
from providers.response import Response
from providers.strategies.presenting import template_values
from providers.values import Credential

_MAX_BODY_BYTES = 1_048_576
_LONGEST_TEXT = 255
_MOST = 500


@dataclass(frozen=True, slots=True)
class Workspace:
    """One of the workspaces that a grant opens. If it is chosen, ``params`` are added to the connection's own."""

    id: str
    name: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def workspaces(target: Target, credential: Credential) -> tuple[Workspace, ...]:
    """Return the workspaces that ``credential`` opens, in the provider's order and once each; at least one.

    Calls the provider. Raises ``GrantRejected`` (a 401), ``NoWorkspace`` (an empty list, or a 404), ``NotPermitted``
    (a 402 or 403), ``ProviderUnavailable``, ``MalformedResponse`` (no list), ``TargetRefused`` and
    ``MisconfiguredProvider`` (the entry describes no such choice, or its patterns fit none of the listed workspaces).
    """
    described = target.entry.workspaces
    if described is None:
        raise MisconfiguredProvider(Evidence(f"{target.entry.slug} describes no choice of workspace.", sent=False))
    values = template_values(target, credential)
    check_values([described.url, *described.headers.values()], values, needed="listing workspaces needs")
    response = egress.request(
        "GET",
        fill(described.url, values),
        headers={"Accept": "application/json"} | {k: render(v, values) for k, v in described.headers.items()},
        max_body_bytes=_MAX_BODY_BYTES,
    )
    if response.status == 401:
        raise GrantRejected(Evidence("The provider refuses the credential.", status=401))
    if response.status in (402, 403):
        detail = "The account may not list its workspaces."
        raise NotPermitted(Evidence(detail, status=response.status))
    if response.status == 404:
        raise NoWorkspace(Evidence("The provider finds no workspace of this account.", status=404))
    if (failure := failure_of(response, rules=())) is not None:
        raise failure
    found = listed_workspaces(target, response)
    items = value_at(json_document(response), described.items)
    if found is None and isinstance(items, dict) and items:
        detail = "The answer holds no list of workspaces, and no id: look at items and id of [workspaces] in the entry."
        raise MisconfiguredProvider(Evidence(detail, status=response.status))
    if found is None:
        raise MalformedResponse(Evidence("The answer is no list of workspaces.", status=response.status))
    if not found and items:
        detail = (
            "None of the workspaces that the provider lists has an id and values that the entry's patterns allow: look"
            " at [workspaces] and its parameters in the entry."
        )
        raise MisconfiguredProvider(Evidence(detail, status=response.status))
    if not found:
        raise NoWorkspace(Evidence(f"The grant opens no workspace of {target.entry.name}.", status=response.status))
    return found


def listed_workspaces(target: Target, response: Response) -> tuple[Workspace, ...] | None:
    """Return the workspaces in an answer, or None if it holds no list of them. No I/O.

    An item is left out if a value does not fit its parameter's pattern: the value could not be filled into a URL, or
    would lead the credential to a host that the entry does not allow.
    """
    described = target.entry.workspaces
    if described is None:
        return None
    items = value_at(json_document(response), described.items)
    if isinstance(items, dict) and text_at(items, described.id):
        items = [items]
    if not isinstance(items, list):
        return None
    wanted = {param.name: param for param in target.entry.params if param.name in described.pointers}
    found: dict[str, Workspace] = {}
    for item in items[:_MOST]:
        identifier = text_at(item, described.id)
        values = {name: text_at(item, pointer) for name, pointer in described.pointers.items()}
        if not all(param.accepts(values[name]) for name, param in wanted.items()):
            continue
        if not identifier or any(len(value) > _LONGEST_TEXT for value in values.values()):
            continue
        name = text_at(item, described.name)[:_LONGEST_TEXT] if described.name else ""
        found.setdefault(identifier, Workspace(identifier, name, values))
    return tuple(found.values())
