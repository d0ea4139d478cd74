"""One entry of the catalogue: how it is proven, what each style needs from the operator, what end users are asked."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.access.staff import is_limited
from connections.access.targets import redirect_uri
from connections.admin import show as look
from connections.admin.catalogue.browse import CONFIDENCE_WORDS
from connections.admin.catalogue.pages import ADD_APPS, SEE_APPS, catalogue_page, page
from connections.models import ProviderApp
from providers.catalog.base_method import Method
from providers.catalog.cautions import cautions_of
from providers.catalog.checklist import checklist_of
from providers.catalog.fields import Param, SecretField
from providers.catalog.loader import UnknownProvider, added_slugs, entry
from providers.catalog.schema import CatalogEntry
from providers.strategies import strategies
from providers.vocabulary import Meaning, ParamScope

_SUPPLIED_BY = {
    ParamScope.APP: "You, once for each provider app",
    ParamScope.CONNECTION: "The end user",
    ParamScope.CALLBACK: "The provider's answer",
    ParamScope.DISCOVERED: "The end user's own server",
    ParamScope.INVITATION: "Your backend, with each connect session",
    ParamScope.WORKSPACE: "The end user's choice after the consent",
}
_PERIODS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """What the page shows of one style. ``app`` is the app that all tenants share, if the reader may see it."""

    style: str
    title: str
    sure: str
    tone: str
    meaning: str
    steps: tuple[str, ...]
    cautions: tuple[str, ...]
    asked: tuple[dict[str, Any], ...]
    lifetimes: tuple[tuple[str, str], ...]
    takes_scopes: bool
    app: ProviderApp | None
    redirect: str
    add_url: str


@catalogue_page
@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the entry ``slug``; a further name of an entry leads to it. Validates this entry alone. One query."""
    try:
        found = entry(slug)
    except UnknownProvider:
        raise Http404 from None
    if found.slug != slug:
        return HttpResponseRedirect(reverse("catalogue:entry", args=[found.slug]))
    is_own = slug in added_slugs()
    limited = is_limited(request.user)
    sees_apps = request.user.has_perm(SEE_APPS)
    shared = ProviderApp.objects.filter(provider=slug, tenant=None).defer("secrets", "push_secrets")
    apps = shared if sees_apps and not limited else ()
    by_style = {app.auth_style: app for app in apps}
    may_add = request.user.has_perm(ADD_APPS)
    return page(
        request,
        "entry",
        found.name,
        entry=found,
        is_own=is_own,
        sheets=[_sheet(found, style, app=by_style.get(style), may_add=may_add) for style in found.auth_styles],
        params=[(param, _SUPPLIED_BY[param.scope]) for param in found.params],
        probe=_probe(found),
        limits_addresses=_limits_addresses(found),
        apps_url=look.list_url(ProviderApp, provider=slug) if sees_apps else "",
    )


def _sheet(found: CatalogEntry, style: str, *, app: ProviderApp | None, may_add: bool) -> StyleSheet:
    method = found.methods[style]
    label, tone, meaning = CONFIDENCE_WORDS[found.confidence_of(style) or ""]
    redirect = redirect_uri(app.id) if app is not None and app.redirects and not app.registers_itself else ""
    add_url = reverse("admin:connections_providerapp_add")
    return StyleSheet(
        style=style,
        title=strategies()[style].title,
        sure=label,
        tone=tone,
        meaning=meaning,
        steps=checklist_of(found, style, redirect_uri=redirect),
        cautions=cautions_of(found, style),
        asked=(*map(_field, found.typed_params(style)), *map(_field, found.fields_of(style))),
        lifetimes=tuple(_lifetimes(method)),
        takes_scopes=method.takes_scopes,
        app=app,
        redirect=redirect,
        add_url=f"{add_url}?provider={found.slug}&auth_style={style}" if may_add and app is None else "",
    )


def _field(item: Param | SecretField) -> dict[str, Any]:
    is_secret = isinstance(item, SecretField) and item.secret
    is_optional = item.optional if isinstance(item, SecretField) else bool(item.default)
    return {"item": item, "is_secret": is_secret, "is_optional": is_optional}


def _lifetimes(method: Method) -> list[tuple[str, str]]:
    """Return what the entry says of how long tokens last, in words."""
    tokens = method.refresh_tokens
    oauth = method.oauth
    said = [
        ("Access tokens last", getattr(oauth, "default_lifetime_seconds", None)),
        ("A refresh token ends without use after", tokens.idle_seconds),
        ("A consent ends after", tokens.absolute_seconds),
        ("A replaced refresh token works for", tokens.grace_seconds),
    ]
    found = [(label, _period(seconds)) for label, seconds in said if seconds]
    if getattr(oauth, "refresh_tokens_rotate", False):
        found.append(("Refresh tokens", "replaced at each refresh"))
    return found


def _period(seconds: int) -> str:
    size, name = next((size, name) for size, name in _PERIODS if seconds % size == 0)
    count = seconds // size
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _limits_addresses(found: CatalogEntry) -> bool:
    """Whether the provider may answer only calls from addresses that it was given."""
    rules = list(found.probe.dead) if found.probe is not None else []
    for method in found.methods.values():
        rules += method.oauth.errors if method.oauth is not None else ()
    told = " ".join((*found.registration.steps, *found.notes))
    return "addresses from which" in told or any(rule.means is Meaning.ADDRESS_REFUSED for rule in rules)


def _probe(found: CatalogEntry) -> str:
    if found.probe is None:
        return ""
    return f"{found.probe.method} {found.probe.url or '(the userinfo endpoint that the issuer names)'}"
