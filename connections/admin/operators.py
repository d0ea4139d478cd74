"""Operators: accounts and roles. Only superusers add or change them; who oversees the staff may hold them back.

In Django, anybody who may change users can give any right to anybody, themselves included, and set anybody's password.
That one permission would amount to all of them. To limit an account to tenants, to end its sessions and to take back
the second factors that its owner has lost gives nobody more than before.
"""

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashField, ReadOnlyPasswordHashWidget, UserChangeForm
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from connections.admin import show
from connections.admin.base import ChosenRowsAdmin, M, operator_behind
from connections.admin.boxes import Boxes, PermissionsField
from connections.admin.buttons import Button, ButtonsAdmin
from connections.admin.fields import LinesField
from connections.admin.people.factors import factors_of
from connections.admin.people.sessions import places_of
from connections.admin.proof import is_proven, page_that_proves, prove, with_request
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.provision.staff import end_sessions, limit_to, take_factors_back, unlimit
from connections.lifecycle.steer.on_demand import Told
from connections.models import StaffIdentity, StaffLimit, Tenant

MAY_OVERSEE = "connections.oversee_staff"
_RESET_ASKS = (
    "Its second factors and recovery codes are not taken any more, its links to single sign-on are cut if it has a "
    "password, and it is logged out everywhere. Its owner gets a new factor at the next login, by the password alone: "
    "make sure that it is the owner who has asked."
)
_LOGOUT_ASKS = "It is logged out everywhere. Its owner may log in again."


class _PasswordState(ReadOnlyPasswordHashWidget):
    """Says whether there is a password. Django would show how it is hashed, and the beginning of the hash."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        is_set = bool(value) and not value.startswith(UNUSABLE_PASSWORD_PREFIX)
        return {**context, "summary": [{"label": "Set" if is_set else "None"}]}


class AccountForm(UserChangeForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """An account, without its password."""

    password = ReadOnlyPasswordHashField(
        label="Password", widget=_PasswordState, help_text="It is not stored, and so cannot be seen."
    )


class _ProvenForm(forms.ModelForm):  # type: ignore[type-arg]  # of accounts and of roles
    """Whoever changes what accounts may do proves who they are: an account that a thief made outlasts the session."""

    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            prove(self.request)
        return cleaned


class _BySuperusers(ChosenRowsAdmin[M]):
    """Adding, changing and deleting need more than a permission, and leave an audit row: ``action``, named by kind."""

    action = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is Permission:
            return db_field.formfield(form_class=PermissionsField)
        return db_field.formfield(widget=Boxes)

    def get_form(self, request: HttpRequest, obj: M | None = None, **kwargs: Any) -> Any:  # type: ignore[override]
        form = super().get_form(request, obj, **kwargs)  # Django's page of accounts takes no more either
        return with_request(type(form.__name__, (_ProvenForm, form), {}), request)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        if self.has_delete_permission(request) and not is_proven(request):
            return page_that_proves(request, request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    def response_action(self, request: HttpRequest, queryset: QuerySet[M], *args: Any) -> HttpResponse | None:
        if not is_proven(request):  # deleting is the only action that there is
            return page_that_proves(request, request.get_full_path())
        return super().response_action(request, queryset, *args)

    # Django calls these in the transaction of the act, in all of its ways: forms, their inlines, and actions.
    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._record(request, "added", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._record(request, "changed", obj, fields=_fields_of(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> Any:
        for row in queryset:
            self._record(request, "deleted", row)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, decision: str, row: M, **facts: Any) -> None:
        detail = {"of": str(row)[:150], **facts}
        audit.record(self.action, decision=decision, actor=operator_behind(request), detail=detail)


def _fields_of(message: Any) -> list[str]:
    """Return the labels of the fields that were changed, of what Django logs. It logs no values."""
    parts = message if isinstance(message, list) else []
    return sorted({str(field) for part in parts for field in part.get("changed", {}).get("fields", ())})


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_active", False) and getattr(request.user, "is_superuser", False))


class LimitForm(forms.Form):
    """Whose rows an account sees."""

    sees = forms.ChoiceField(
        label="It sees",
        choices=[("all", "every tenant, and what belongs to all of them"), ("some", "these tenants alone:")],
        widget=forms.RadioSelect,
    )
    tenants = LinesField(help_text="Slugs, one a line. With none, it sees nothing.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        slugs = set(cleaned.get("tenants") or ())
        self.found = list(Tenant.objects.filter(slug__in=slugs))
        if unknown := slugs - {tenant.slug for tenant in self.found}:
            self.add_error("tenants", f"There is no tenant {sorted(unknown)[0]!r}.")
        if slugs and cleaned.get("sees") == "all":
            self.add_error("tenants", "Leave this empty, or choose “these tenants alone”.")
        return cleaned


def _check_rank(request: HttpRequest, row: User) -> None:
    """Superusers are overseen by superusers alone. Raises ``PermissionDenied``."""
    if row.is_superuser and not _is_superuser(request):
        raise PermissionDenied


def _limit(request: HttpRequest, row: User) -> HttpResponse | Told:
    _check_rank(request, row)
    if row.is_superuser:
        return Told(False, "superuser", "A superuser may change accounts, and so cannot be limited.")
    before = StaffLimit.objects.filter(user=row).first()
    slugs = [] if before is None else sorted(before.tenants.values_list("slug", flat=True))
    initial = {"sees": "all" if before is None else "some", "tenants": slugs}
    form = LimitForm(request.POST if request.method == "POST" else None, initial=initial)
    if not form.is_valid():
        context = {
            **admin.site.each_context(request),
            "title": "Limit to tenants",
            "opts": User._meta,
            "row": row,
            "form": form,
            "back_url": show.page_url(row),
        }
        return TemplateResponse(request, "admin/connections/form.html", context)
    if form.cleaned_data["sees"] == "all":
        unlimit(row, actor=operator_behind(request))
        return Told(True, "unlimited", "It sees every tenant.")
    limit_to(row, form.found, actor=operator_behind(request))
    return Told(True, "limited", f"It sees {len(form.found)} tenant{'' if len(form.found) == 1 else 's'}, at once.")


def _reset(request: HttpRequest, row: User) -> Told:
    _check_rank(request, row)
    count = take_factors_back(row, actor=operator_behind(request))
    return Told(True, "reset", f"Taken back: {count}. It is logged out everywhere.")


def _logout(request: HttpRequest, row: User) -> Told:
    _check_rank(request, row)
    count = end_sessions(row, actor=operator_behind(request))
    return Told(True, "logged_out", f"Logged out in {count} place{'' if count == 1 else 's'}.")


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class OperatorAccountAdmin(_BySuperusers[User], ButtonsAdmin[User], UserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Accounts of operators."""

    action = "operator.account"
    form = AccountForm
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")  # what was is not typed
    list_title = "Users"
    change_form_template = "admin/connections/user.html"
    id_search_fields = ()
    buttons = (
        Button("limit", "Limit to tenants", _limit, has_own_page=True, needs_proof=True),
        Button("logout", "Log out everywhere", _logout, asks=_LOGOUT_ASKS),
        Button("reset", "Take second factors back", _reset, asks=_RESET_ASKS, tone="danger", needs_proof=True),
    )

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(MAY_OVERSEE))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 (Django's)
        if _is_superuser(request) and not is_proven(request):
            return page_that_proves(request, request.get_full_path())
        with short_transaction():  # no password without its audit row
            answer = super().user_change_password(request, id, form_url)
            if answer.status_code == HTTPStatus.FOUND:  # its sessions are not good any more: no list is to show them
                of = User.objects.get(pk=id)
                end_sessions(of, actor=operator_behind(request), but=request.session.session_key)
            return answer

    def furnish(self, request: HttpRequest, context: dict[str, Any], row: User | None) -> None:
        if row is not None:
            limit = StaffLimit.objects.filter(user=row).first()
            context["limit"] = None if limit is None else sorted(limit.tenants.values_list("slug", flat=True))
            context["links"] = StaffIdentity.objects.filter(user=row).order_by("made_at")
            context["factors"] = [one.get_type_display() for one in factors_of(row)]
            context["places"] = places_of(row, asking=request.session.session_key)


@admin.register(Group)
class RoleAdmin(_BySuperusers[Group], GroupAdmin):  # type: ignore[misc]  # the stubs name the field otherwise
    """Roles: what the accounts in them may do."""

    action = "operator.role"
    filter_horizontal = ()
