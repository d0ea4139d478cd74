"""The preview of the widget for one provider app: its pages, framed, as an end user of a tenant will see them."""

from typing import Any

from csp.constants import SELF
from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from connections.admin import show
from connections.models import ProviderApp

_SCREENS = (("landing", "First page"), ("fields", "Form"), ("problem", "Error"), ("finished", "End"))
_MODES = (("light", "Light"), ("dark", "Dark"))
_WIDTHS = (("phone", "Phone"), ("wide", "Wide"))


class PreviewForm(forms.Form):
    """What is to be seen, and how. Its values are the query of the framed page, which checks them."""

    tenant = forms.CharField(label="Tenant (slug)", required=False, max_length=64)
    screen = forms.ChoiceField(label="Page", choices=_SCREENS)
    theme = forms.ChoiceField(label="Mode", choices=_MODES)
    language = forms.ChoiceField(required=False, choices=(("", "As the brand says"), *settings.LANGUAGES))
    width = forms.ChoiceField(choices=_WIDTHS)

    def __init__(self, app: ProviderApp, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if app.tenant_id is not None:
            del self.fields["tenant"]


def preview_widget(request: HttpRequest, app: ProviderApp) -> HttpResponse:
    """Answer with the page that frames the widget. It changes nothing, and neither does what it frames."""
    form = PreviewForm(app, request.GET if "screen" in request.GET else None)
    chosen = form.cleaned_data if form.is_valid() else {"screen": "landing", "theme": "light", "width": "phone"}
    query = {f"preview_{name}": value for name, value in chosen.items() if value and name != "width"}
    context = {
        **admin.site.each_context(request),
        "title": "Preview of the widget",
        "opts": app._meta,
        "row": app,
        "back_url": show.page_url(app),
        "form": form,
        "is_wide": chosen["width"] == "wide",
        "frame_url": f"{reverse('connect:preview')}?{urlencode({'preview_app': str(app.id), **query})}",
    }
    response = TemplateResponse(request, "admin/connections/widget_preview.html", context)
    setattr(response, "_csp_update", {"frame-src": [SELF]})  # noqa: B010 (the attribute that django-csp reads)
    return response
