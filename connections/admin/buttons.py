"""Buttons of a row's page: each makes one lifecycle call and says what happened.

They have addresses of their own, outside Django's change form: that form runs in a transaction, and a button may call
a provider, which no transaction may span. A button asks first if its act cannot be undone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, Literal, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from connections.access.staff import is_limited
from connections.admin.base import M, OperatorAdmin, log_act
from connections.admin.proof import is_proven, page_that_proves
from connections.admin.show import page_url
from connections.database.pool import LockTimeout
from connections.lifecycle.steer.on_demand import Told
from connections.refusals import InvalidRequest, Refusal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Button(Generic[M]):
    """One button. ``press`` does the work and returns the result in words, or answers with a page of its own.

    ``asks`` is a sentence that says what will happen: a page shows it and asks first; with "" nothing asks.
    ``is_offered`` says for which rows the button is shown. A button with ``has_own_page`` answers GET itself. One with
    a ``permission`` needs that in addition to the model's ``change``; who lacks it does not see the button, and neither
    do staff of some tenants where it ``concerns_all``. One that ``needs_proof`` is pressed by operators who have just
    shown once more who they are (``proof``).
    """

    verb: str
    label: str
    press: Callable[[HttpRequest, M], Told | HttpResponseBase]
    is_offered: Callable[[M], bool] = lambda row: True
    asks: str = ""
    tone: Literal["plain", "primary", "danger"] = "plain"
    has_own_page: bool = False
    permission: str = ""
    needs_proof: bool = False
    concerns_all: bool = False

    def is_for(self, request: HttpRequest) -> bool:
        """Whether this operator has the button's own permission. The model's is looked at elsewhere."""
        if self.concerns_all and is_limited(request.user):
            return False
        return not self.permission or bool(request.user.has_perm(self.permission))


class ButtonsAdmin(OperatorAdmin[M]):
    """A model whose pages have ``buttons``. They need the model's ``change`` permission."""

    buttons: Sequence[Button[M]] = ()
    change_form_template: ClassVar[Any] = None

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        own = path("<path:object_id>/press/<slug:verb>/", self.admin_site.admin_view(self.press_view), name=name)
        return [own, *super().get_urls()]

    def press_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponseBase:
        """Ask first if the button asks; otherwise press it and redirect to the row's page."""
        button = next((button for button in self.buttons if button.verb == verb), None)
        row = self.get_object(request, unquote(object_id))
        if row is None or button is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_operate_permission(request) or not button.is_for(request):
            raise PermissionDenied
        if button.needs_proof and not is_proven(request):
            is_asked = button.asks or button.has_own_page
            return page_that_proves(request, press_url(row, verb) if is_asked else page_url(row))
        if request.method != "POST" and not button.has_own_page:
            return self._ask(request, row, button) if button.asks else HttpResponseNotAllowed(["POST"])
        if not button.is_offered(row):
            told: Any = Told(False, "not_offered", "That is not possible any more: nothing was done.")
        else:
            told = done(partial(button.press, request, row))
        if isinstance(told, HttpResponseBase):
            return told
        self.message_user(request, told.detail, messages.SUCCESS if told.is_success else messages.WARNING)
        log_act(request, row, CHANGE, f"{button.label}: {told.detail}")
        return HttpResponseRedirect(page_url(row))

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: M | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context["title"], context["subtitle"] = self.page_title(obj), None
        if obj is not None and self.has_operate_permission(request):
            context["buttons"] = [
                {"button": button, "url": press_url(obj, button.verb)}
                for button in self.buttons
                if button.is_for(request) and button.is_offered(obj)
            ]
        self.furnish(request, context, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: M | None) -> None:
        """Add to ``context`` what the template of a row's page needs in addition; ``row`` is None when adding one."""

    def page_title(self, row: M) -> str:
        """Return the heading of a row's page."""
        return str(row)

    def _ask(self, request: HttpRequest, row: M, button: Button[M]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{button.label}?",
            "opts": self.opts,
            "row": row,
            "back_url": page_url(row),
            "button": button,
        }
        return TemplateResponse(request, "admin/connections/ask.html", context)


def press_url(row: M, verb: str) -> str:
    """Return the address of one button of one row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_press", args=[row.pk, verb])


def answer_by_form(
    request: HttpRequest, row: Model, form: forms.Form, work: Callable[[Any], str | HttpResponse], *, title: str
) -> HttpResponse | Told:
    """Answer with a page that shows ``form``, or do the ``work`` with it, once it is posted and valid.

    ``work`` returns what happened, in words or as a page of its own. An ``InvalidRequest`` goes to the field that it
    names. The page is stored nowhere: a secret may be typed there.
    """
    if request.method == "POST" and form.is_valid():
        try:
            result = work(form)
            return result if isinstance(result, HttpResponse) else Told(True, "done", result)
        except InvalidRequest as refusal:
            field = str(refusal.extra.get("field", ""))
            form.add_error(field if field in form.fields else None, refusal.detail)
    context = {
        **admin.site.each_context(request),
        "title": title,
        "opts": row._meta,
        "row": row,
        "form": form,
        "back_url": page_url(row),
    }
    response = TemplateResponse(request, "admin/connections/form.html", context)
    response["Cache-Control"] = "no-store"
    return response


def done(work: Callable[[], T]) -> T | Told:
    """Return the result of ``work``, or its refusal in words."""
    try:
        return work()
    except Refusal as refusal:
        return Told(False, refusal.code, refusal.detail)
    except LockTimeout:
        return Told(False, "busy", "Somebody else is changing it at this moment: nothing was done. Try again.")
