"""Every address below ``/admin/`` that the URLs have a pattern for, filled in with the rows that there are."""

import re
from collections.abc import Iterator

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver

from connections.admin.buttons import ButtonsAdmin
from connections.models import Tenant

_OF_A_MODEL = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/")
_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


def every_address() -> dict[str, str]:
    """Return each address of the admin, by its pattern and what was filled in. A new pattern is in it by itself.

    Raises ``KeyError`` for a pattern with a place that nothing here fills in.
    """
    routes = [route for route in _routes(get_resolver("config.urls")) if route.startswith("admin/")]
    return {f"{route} {url}": url for route in routes for url in _filled_in(route)}


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _routes(one, route)
        elif isinstance(one, URLPattern):
            yield route


def _filled_in(route: str) -> Iterator[str]:
    if "(?P<" in route:  # Django's two regular expressions: the page of one app, and all else below the admin
        kinds = ("connections/", "auth/") if "app_label" in route else ("no/such/page",)
        yield from (f"/admin/{kind}" for kind in kinds)
        return
    found = _OF_A_MODEL.match(route)
    models = {(model._meta.app_label, model._meta.model_name): model for model in admin.site._registry}
    model = models.get((found["app"], found["model"])) if found else None
    values = {"slug": "sandbox", "shape": "csv", "session_id": "1", "pk": "1"}
    values |= {"link_id": "1", "content_type_id": _tenants_type()}
    values |= {"object_id": _key_of(model or Tenant), "id": _key_of(model or Tenant)}
    page = admin.site._registry[model] if model else None
    verbs = [button.verb for button in page.buttons] if isinstance(page, ButtonsAdmin) else []
    for verb in verbs if "verb>" in route else [""]:
        known = values | {"verb": verb}
        yield "/" + _PLACE.sub(lambda place, known=known: known[place[1]], route)  # type: ignore[misc]


def _tenants_type() -> str:
    return str(ContentType.objects.get_for_model(Tenant).pk)


def _key_of(model: type[Model]) -> str:
    row = model._default_manager.first()
    return "1" if row is None else str(row.pk)
