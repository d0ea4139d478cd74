"""``manage.py operators``: the first one, and what has to be taken back from an account when its owner cannot."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandError

from connections.lifecycle.provision.staff import end_sessions, new_token, take_factors_back, there_are_operators
from connections.management.operator_command import OperatorCommand, operator
from connections.management.output import Answer, sheet, table

_COLUMNS = ("name", "active", "roles", "tenants")


class Command(OperatorCommand):
    help = "Make the first operator, take second factors back, end sessions, and list the accounts."

    def add_subcommands(self) -> None:
        self.subcommand(
            "first",
            _first,
            help_text="Print a token for the page that makes the first operator. Only while there is none.",
            examples=("",),
        )
        for name, run, help_text in (
            ("reset", _reset, "Take every second factor from an account whose owner has lost them; ends its sessions."),
            ("logout", _logout, "End every session of an account."),
        ):
            command = self.subcommand(name, run, help_text=help_text, examples=("olga",))
            command.add_argument("name", metavar="NAME", help="The user name.")
        self.subcommand("list", _list, help_text="List the accounts, with their roles and limits.", examples=("",))


def _first(options: dict[str, Any]) -> Answer:
    if there_are_operators():
        raise CommandError("There is an operator already. Only operators make others: in the admin, under Users.")
    page = f"{settings.ADMIN_URL}/admin/first/"
    return _told({"page": page, "token": new_token()})


def _reset(options: dict[str, Any]) -> Answer:
    user = _named(options["name"])
    count = take_factors_back(user, actor=operator())
    return _told({"operator": user.username, "second_factors_taken_back": count})


def _logout(options: dict[str, Any]) -> Answer:
    user = _named(options["name"])
    return _told({"operator": user.username, "sessions_ended": end_sessions(user, actor=operator())})


def _list(options: dict[str, Any]) -> Answer:
    accounts = User.objects.filter(is_staff=True).prefetch_related("groups", "staff_limit__tenants")
    found = [_row(user) for user in accounts.order_by("username")]
    return Answer(found, table(_COLUMNS, [[*one.values()] for one in found], nothing="None."))


def _row(user: User) -> dict[str, Any]:
    limit = getattr(user, "staff_limit", None)
    return {
        "name": user.username,
        "active": user.is_active,
        "roles": ["superuser"] if user.is_superuser else sorted(group.name for group in user.groups.all()),
        "tenants": "all" if limit is None else sorted(tenant.slug for tenant in limit.tenants.all()),
    }


def _told(facts: dict[str, Any]) -> Answer:
    return Answer(facts, sheet(facts.items()))


def _named(name: str) -> User:
    user = User.objects.filter(username=name, is_staff=True).first()
    if user is None:
        raise CommandError(f"There is no operator {name!r}.")
    return user
