"""The button that deletes a tenant. Its page says what will be deleted, and the operator must type the slug."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse

from connections.admin import show
from connections.admin.base import operator_behind
from connections.admin.buttons import Button
from connections.database.clock import database_now
from connections.lifecycle.end.delete_tenant import contents_of, order_deletion, revocations_of
from connections.lifecycle.steer.on_demand import Told
from connections.models import Tenant

MAY_DELETE = "connections.delete_tenant"


class DeletionForm(forms.Form):
    """Asks for the tenant's slug, so that nobody deletes one by mistake."""

    slug = forms.CharField(
        label="Type the tenant's slug", widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    at_once = forms.BooleanField(
        label="Destroy the keys at once",
        required=False,
        help_text="No provider is asked to revoke anything: what was granted stays alive there.",
    )

    def __init__(self, typed: QueryDict | None, *, tenant: Tenant) -> None:
        super().__init__(typed)
        self._tenant = tenant

    def clean_slug(self) -> str:
        typed: str = self.cleaned_data["slug"]
        if typed != self._tenant.slug:
            raise forms.ValidationError("This is not the slug of the tenant: nothing was done.")
        return typed


def _delete(request: HttpRequest, row: Tenant) -> HttpResponse | Told:
    form = DeletionForm(request.POST if request.method == "POST" else None, tenant=row)
    if not form.is_valid():
        context = {
            **admin.site.each_context(request),
            "title": "Delete",
            "opts": Tenant._meta,
            "row": row,
            "form": form,
            "goes": contents_of(row),
            "asked": revocations_of(row),
            "back_url": show.page_url(row),
        }
        return TemplateResponse(request, "admin/connections/tenant/delete.html", context)
    at_once = form.cleaned_data["at_once"]
    told = order_deletion(row.id, now=database_now(), at_once=at_once, actor=operator_behind(request))
    return Told(
        True,
        "delete_ordered",
        f"Suspended for good, and being deleted: {told.connections} connections are left. The worker goes on with it; "
        f"the keys are destroyed at {told.shred_at:%Y-%m-%d %H:%M} UTC at the latest.",
    )


DELETE_BUTTON: Button[Tenant] = Button(
    "delete", "Delete", _delete, tone="danger", has_own_page=True, permission=MAY_DELETE, needs_proof=True
)
