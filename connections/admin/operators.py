"""Operators: accounts and roles. Only superusers add or change them.

In Django, anybody who may change users can give any right to anybody, themselves included, and set anybody's password.
That one permission would amount to all of them.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from connections.admin.base import ChosenRowsAdmin


class _BySuperusers:
    """Adding, changing and deleting need more than a permission."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_active", False) and getattr(request.user, "is_superuser", False))


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class OperatorAccountAdmin(_BySuperusers, ChosenRowsAdmin[User], UserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    """Accounts of operators."""


@admin.register(Group)
class RoleAdmin(_BySuperusers, ChosenRowsAdmin[Group], GroupAdmin):
    """Roles: what the accounts in them may do."""
