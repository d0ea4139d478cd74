"""How values look on the pages: chips, moments, links and JSON. Everything is escaped; nothing is styled inline."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from connections.lifecycle.steer.outlook import distance
from connections.models import (
    ApiClient,
    ApiKey,
    AttemptState,
    ConnectSession,
    Finding,
    Incident,
    ProviderApp,
    RefreshAttempt,
    Revocation,
    SessionState,
    Stage,
    Status,
    Tenant,
)
from connections.monogram import Named, monogram_of

NOTHING = "—"

# The model of each id in audit details and evidence, by the name of the detail.
_PAGES: dict[str, type[Model]] = {
    "session": ConnectSession,
    "attempt": RefreshAttempt,
    "provider_app": ProviderApp,
    "api_client": ApiClient,
    "api_key": ApiKey,
    "incident": Incident,
    "finding": Finding,
    "tenant": Tenant,
}

_TONES: dict[str, str] = {
    **dict.fromkeys((Status.ACTIVE, AttemptState.PROMOTED, Stage.CURRENT, Revocation.CONFIRMED), "good"),
    **dict.fromkeys(
        (Status.SUSPECT, AttemptState.IN_DOUBT, Stage.ORPHAN, Revocation.UNCONFIRMED, Revocation.WITHHELD), "warn"
    ),
    **dict.fromkeys(
        (Status.NEEDS_REAUTH, Status.REVOKED, AttemptState.REJECTED, SessionState.FAILED, Revocation.IGNORED), "bad"
    ),
    **dict.fromkeys((Status.PENDING, AttemptState.SENT, AttemptState.RECEIVED, SessionState.HELD), "busy"),
    **dict.fromkeys((SessionState.STARTED, SessionState.AUTHORIZING), "busy"),
    **dict.fromkeys((SessionState.EXCHANGING, SessionState.CHOOSING), "busy"),
    SessionState.COMPLETED: "good",
}


def chip(label: object, tone: str = "plain", *, title: str = "") -> SafeString:
    """Return a small coloured label; ``tone`` is good, warn, bad, busy or plain."""
    return format_html('<span class="chip chip-{}" title="{}">{}</span>', tone, title, label)


def state_chip(value: str, label: object, *, title: str = "") -> SafeString:
    """Return the chip of a state. A state has the same tone on every page."""
    return chip(label, _TONES.get(value, "plain"), title=title)


def switches(row: Any) -> SafeString:
    """Return a chip for each switch of ``row`` that is on, and one if its credential cannot be decrypted."""
    turned = []
    if getattr(row, "undecryptable_at", None):
        turned.append(chip("Undecryptable", "bad"))
    if getattr(row, "suspended_at", None):
        turned.append(chip("Suspended", "bad"))
    if getattr(row, "is_canary", False):
        turned.append(chip("Canary", "warn"))
    elif getattr(row, "paused_at", None):
        turned.append(chip("Paused", "warn"))
    return join(turned)


def swatch(color: str) -> SafeString:
    """Return a small square in ``color``."""
    return format_html(
        '<svg class="swatch" viewBox="0 0 9 9"><title>{}</title><rect width="9" height="9" rx="3" fill="{}"/></svg>',
        color,
        color,
    )


def join(parts: Iterable[object], separator: str = " ") -> SafeString:
    """Return ``parts`` one after the other."""
    return format_html_join(separator, "{}", ((part,) for part in parts))


def moment(at: datetime | None, *, now: datetime | None) -> SafeString | str:
    """Return a moment as its distance from ``now``, with the full time on hover."""
    if at is None or now is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}", distance(at, now=now)
    )


def clock(at: datetime | None) -> SafeString | str:
    """Return a moment in full, in UTC."""
    if at is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S}")


def two_lines(first: object, second: object) -> SafeString:
    """Return a cell of a list: ``first`` on the first line, and ``second`` below it in fainter type."""
    return format_html('<span class="first-line">{}</span><span class="second-line">{}</span>', first, second)


def provider(entry: Named | None, first: object, second: object) -> SafeString:
    """Return two lines behind the icon of ``entry``, or without one if the catalogue has no such entry any more."""
    icon = "" if entry is None else monogram_of(entry)
    return format_html('<span class="provider">{}<span>{}</span></span>', icon, two_lines(first, second))


def as_json(value: Any) -> SafeString | str:
    """Return a JSON value, indented."""
    if not value:
        return NOTHING
    return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False, default=str))


def facts(value: Any) -> SafeString | str:
    """Return a small JSON object as "name: value" pairs on one line."""
    if not value:
        return NOTHING
    if not isinstance(value, dict):
        return str(value)
    if "detail" in value and "sent" in value:
        return evidence(value)
    said = {name: item for name, item in value.items() if item not in (None, "", [], {})}
    pairs = ((name.replace("_", " "), _plain(name, item)) for name, item in said.items())
    return format_html_join(" ", '<span class="fact"><span class="fact-name">{}</span> {}</span>', pairs)


def evidence(value: dict[str, Any]) -> SafeString:
    """Return the evidence of a failed exchange: our sentence, then the status and the provider's own error code."""
    parts: list[object] = [value["detail"]]
    if value.get("status"):
        parts.append(format_html('<span class="fact-name">HTTP</span> {}', value["status"]))
    if value.get("error"):
        parts.append(code(value["error"]))
    if value.get("attempt"):
        parts.append(
            format_html('<span class="fact-name">attempt</span> {}', id_link(RefreshAttempt, value["attempt"]))
        )
    return join(parts)


def _plain(name: str, item: Any) -> SafeString | str:
    if name in _PAGES:
        return id_link(_PAGES[name], item)
    if isinstance(item, dict):
        return facts(item)
    if isinstance(item, list) and all(isinstance(one, str) for one in item):
        return ", ".join(item)
    if isinstance(item, bool):
        return "yes" if item else "no"
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str)


def code(value: object) -> SafeString | str:
    """Return an identifier in a monospaced face."""
    return format_html("<code>{}</code>", value) if value not in (None, "") else NOTHING


def short_id(value: object) -> SafeString | str:
    """Return the first characters of a UUID, with the whole on hover."""
    if value is None:
        return NOTHING
    return format_html('<code title="{}">{}</code>', value, str(value)[:8])


def codes(values: Iterable[object]) -> SafeString | str:
    """Return identifiers in a row."""
    return join([code(value) for value in values]) or NOTHING


def page_url(row: Model) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link(row: Model | None, label: object = None) -> SafeString | str:
    """Return a link to a row's page, or a dash where there is none."""
    if row is None:
        return NOTHING
    return format_html('<a href="{}">{}</a>', page_url(row), row if label is None else label)


def id_link(model: type[Model], value: object, label: object = None) -> SafeString | str:
    """Return a link to the page of the row of ``model`` with this id. No query: the row may no longer exist."""
    if value is None:
        return NOTHING
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[value])
    return format_html('<a href="{}">{}</a>', url, short_id(value) if label is None else label)


def list_url(model: type[Model], **filters: Any) -> str:
    """Return the address of a model's list, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def list_link(label: object, model: type[Model], **filters: Any) -> SafeString:
    """Return a link to a model's list, filtered."""
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), label)


def copyable(value: str) -> SafeString:
    """Return a value to be copied: one click selects all of it."""
    return format_html(
        '<span class="copyable"><code class="copy-text">{}</code>'
        '<button type="button" class="copy" hidden data-copied="Copied">Copy</button></span>',
        value,
    )
