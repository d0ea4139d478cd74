"""Boxes to tick on the pages of accounts and roles."""

import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_permissions_are_ticked_by_what_they_are_about(olga: Client) -> None:
    role = Group.objects.create(name="keepers")
    seen, issued = (Permission.objects.get(codename=name) for name in ("view_connection", "issue_apikey"))
    role.permissions.add(seen)
    url = reverse("admin:auth_group_change", args=[role.pk])
    page = olga.get(url).content.decode()
    assert page.count('name="permissions"') == Permission.objects.count()
    checked = re.findall(r'<input type="checkbox" name="permissions" value="(\d+)"[^>]* checked', page)
    assert checked == [str(seen.pk)]
    assert "<legend>Connection</legend>" in page and "SelectFilter2" not in page
    assert olga.post(url, {"name": "keepers", "permissions": [str(issued.pk)]}).status_code == 302
    assert [*role.permissions.all()] == [issued]


def test_an_account_s_page_has_its_roles_and_nothing_of_its_password(olga: Client) -> None:
    user = User.objects.create_user("vera", password="a good long passphrase", is_staff=True)
    without = User.objects.create_user("nina", is_staff=True)
    page = olga.get(reverse("admin:auth_user_change", args=[user.pk])).content.decode()
    assert page.count('name="groups"') == Group.objects.count() >= 3
    algorithm, _, salt, digest = user.password.split("$")
    assert not [part for part in (algorithm, salt[:6], digest[:6]) if part in page]
    assert "<strong>Set</strong>" in page
    assert "<strong>None</strong>" in olga.get(reverse("admin:auth_user_change", args=[without.pk])).content.decode()
