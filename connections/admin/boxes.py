"""Boxes to tick: roles, and permissions by what they are about. They need no script, and a keyboard reaches each.

Where there are many, a script adds a search among them, and counts those that are ticked.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.forms.models import ModelChoiceIterator
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst

_MANY = 20


class Boxes(forms.CheckboxSelectMultiple):
    """A box for each choice, in groups with a heading where the choices have some."""

    class Media:
        js = ("latchkey_admin/boxes.js",)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = self.get_context(name, value, attrs)
        count = sum(len(options) for _, options, _ in context["widget"]["optgroups"])
        return render_to_string("admin/connections/boxes.html", {**context, "are_many": count > _MANY})


class _ByKind(ModelChoiceIterator):  # type: ignore[type-arg]  # generic in the stubs alone
    """Permissions in groups by the kind of row that they are about."""

    queryset: Any

    def __iter__(self) -> Iterator[Any]:
        rows = self.queryset.select_related("content_type")
        by_name = sorted(rows, key=lambda row: (row.content_type.name.casefold(), row.content_type_id, row.id))
        for kind, permissions in groupby(by_name, key=lambda row: row.content_type):
            yield capfirst(kind.name), [self.choice(row) for row in permissions]


class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # likewise
    """Permissions to tick."""

    iterator = _ByKind
    widget = Boxes

    def label_from_instance(self, obj: Permission) -> str:
        """Return what it allows: of the four that every kind of row has, the verb alone."""
        verb, _, kind = obj.codename.partition("_")
        if kind == obj.content_type.model and verb in ("add", "change", "delete", "view"):
            return verb
        return str(capfirst(obj.name.removeprefix("Can ")))
