"""The widget's own pages for a frame in the admin: under a brand that is not saved yet, or about one provider app.

Nothing is stored. Only an operator who may see brands gets a page, and only a page of ours may frame it. The frame runs
no script and sends no form.
"""

import base64
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from csp.constants import SELF
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from connections.access.staff import visible
from connections.access.targets import entry_of
from connections.asked_fields import asked_fields
from connections.brand.form import BrandForm
from connections.brand.look import look_from
from connections.consent.categories import category_shown
from connections.consent.decorators import set_policy, widget_page
from connections.consent.language import language_for
from connections.consent.pages import rendered
from connections.consent.views import scope_words
from connections.consent.words import WORDS_OF
from connections.lifecycle.connect.scopes import requested_scopes
from connections.lifecycle.provision.brands import prepare_brand
from connections.lifecycle.provision.domains import vouched_for
from connections.models import Brand, ConnectSession, ProviderApp, Tenant
from connections.models.brand import OPERATORS
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, InvalidRequest

SCREENS = ("landing", "choose", "fields", "problem", "finished")
_PROVIDER = "Example"


@dataclass(frozen=True, slots=True)
class _Example:
    """A provider that there is not."""

    name: str
    colour: str = ""


@widget_page
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """Show one screen: of the form that was posted, or of what is saved. Raises ``Http404`` for everybody else."""
    if not request.user.is_staff or not request.user.has_perm("connections.view_brand"):
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    screen = asked.get("preview_screen", "")
    app = _app_named(request, asked.get("preview_app", ""))
    saved = _brand_named(request, asked.get("preview_brand", "")) if app is None else _brand_for(request, app)
    shown, fault = _unsaved(request, saved) if request.method == "POST" else (saved, "")
    tenant = saved.tenant or Tenant(name=shown.name or "Your tenant")
    operators = shown if saved.tenant is None else Brand.objects.filter(tenant=None).first()
    look = look_from(tenant, own=shown if saved.tenant is not None else None, operators=operators)
    picture = next((row for row in (shown, operators) if row is not None and row.logo), None)
    context: dict[str, Any] = {"title": "This cannot be saved yet", "advice": fault} if fault else _sample(screen)
    if app is not None and not fault:
        context |= _about(app, tenant)
    response = rendered(
        request,
        "problem" if fault or screen not in SCREENS else screen,
        look,
        language=language_for(request, asked.get("preview_language", ""), look.locale),
        tenant=tenant,
        session=ConnectSession(tenant=tenant),
        css=look.css_in(is_dark=asked.get("preview_theme") == "dark"),
        logo_url=_data_uri(picture) if picture is not None else "",
        **{"provider": _PROVIDER, **context},
    )
    set_policy(response, ancestors=(SELF,))
    if picture is not None:  # it may be one that is stored nowhere, so that no address has it
        response._csp_replace["img-src"] = [SELF, "data:"]  # type: ignore[attr-defined]  # what django-csp reads
    return response


def _app_named(request: HttpRequest, given: str) -> ProviderApp | None:
    """Return the app that the page is to be about, None if none is named. Raises ``Http404``."""
    if not given:
        return None
    try:
        apps = visible(request.user, ProviderApp.objects.select_related("tenant").defer("secrets"))
        found = apps.filter(id=uuid.UUID(given)).first()
    except ValueError:
        found = None
    if found is None or not request.user.has_perm("connections.view_providerapp"):
        raise Http404
    return found


def _brand_for(request: HttpRequest, app: ProviderApp) -> Brand:
    """Return the brand of the app's tenant, or of the one that is named for a shared app. Raises ``Http404``."""
    tenant, named = app.tenant, request.GET.get("preview_tenant", "")
    if tenant is None and named:
        tenant = visible(request.user, Tenant.objects.all()).filter(slug=named).first()
        if tenant is None or not request.user.has_perm("connections.view_tenant"):
            raise Http404
    if tenant is None:
        return _brand_named(request, "")
    return Brand.objects.select_related("tenant").filter(tenant=tenant).first() or Brand(tenant=tenant)


def _about(app: ProviderApp, tenant: Tenant) -> dict[str, Any]:
    """Return what the pages say of ``app``, in place of the sample. Raises ``Http404`` where its entry is gone."""
    try:
        entry = entry_of(app)
    except AppMisconfigured:
        raise Http404 from None
    session = ConnectSession(tenant=tenant, provider_app=app)
    host = urlsplit(next(iter(tenant.return_urls), "")).netloc
    return {
        "app": app,
        "entry": entry,
        "provider": entry.name,
        "leaves": app.redirects,
        "shows_code": app.shows_code,
        "scopes": scope_words(entry, requested_scopes(session, app, entry)) if app.by_consent else [],
        "fields": asked_fields(entry, app.auth_style),
        **({"return_host": host, "is_own_host": vouched_for(tenant.id, host, now=Now())} if host else {}),
    }


def _brand_named(request: HttpRequest, given: str) -> Brand:
    if given in ("", str(OPERATORS)):
        return Brand.objects.filter(tenant=None).first() or Brand(id=OPERATORS)
    try:
        brands = visible(request.user, Brand.objects.select_related("tenant"))
        found = brands.filter(id=uuid.UUID(given)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _unsaved(request: HttpRequest, saved: Brand) -> tuple[Brand, str]:
    """Return the brand as it was typed, and why it cannot be saved; then it is the one of before."""
    form = BrandForm(request.POST, request.FILES, instance=_copy(saved))
    if not form.is_valid():
        return saved, " ".join(str(error) for errors in form.errors.values() for error in errors)
    try:
        return prepare_brand(saved.tenant, form.profile()), ""
    except InvalidRequest as refusal:
        return saved, refusal.detail


def _copy(brand: Brand) -> Brand:
    values = {column.attname: getattr(brand, column.attname) for column in Brand._meta.concrete_fields}
    return Brand(**values)


def _sample(screen: str) -> dict[str, Any]:
    field = {"name": "key", "label": "API key", "help": "", "is_secret": True, "is_required": True, "value": ""}
    others = [
        {
            "entry": _Example(name),
            "category": category_shown(category),
            "is_translated": True,
            "app": {"id": OPERATORS},
        }
        for name, category in (("Alpha", "CRM"), ("Beta", "Accounting"), ("Gamma", "Storage"))
    ]
    words = WORDS_OF[Failure.APPROVAL_REQUESTED]
    samples: dict[str, dict[str, Any]] = {
        "landing": {
            "leaves": True,
            "scopes": [{"name": "contacts.read", "words": "Read your contacts"}],
            "return_host": "app.example.com",
            "is_own_host": True,
            "is_preview": True,
        },
        "choose": {"choices": others, "provider": ""},
        "fields": {"fields": [field], "app": {"id": OPERATORS}},
        "finished": {"address": "#"},
    }
    return samples.get(screen, {"title": words.title, "advice": words.advice, "address": "#"})


def _data_uri(brand: Brand) -> str:
    return f"data:{brand.logo_media_type};base64,{base64.b64encode(bytes(brand.logo)).decode()}"
