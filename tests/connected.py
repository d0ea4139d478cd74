"""Connections as they are just after an end user has connected, made without pages, codes and confirmation.

For tests of what happens to a connection later: walking through the widget and the provider takes ten times as long.
``tests/test_connected.py`` compares the rows with those that the walk leaves.
"""

from collections.abc import Sequence

from django.db import transaction

from connections.drills.grants import store_grant
from connections.models import Connection, ProviderApp
from providers.sandbox.client import SandboxProcess
from providers.sandbox.people import PEOPLE


def connect_at(
    sandbox: SandboxProcess,
    app: ProviderApp,
    *,
    end_user: str = "alice",
    account: str = "alice",
    scopes: Sequence[str] = ("profile.read", "files.read"),
) -> Connection:
    """Make a connection of ``end_user`` to an account of the sandbox, with a grant of its own there."""
    assert app.tenant is not None
    (tokens,) = sandbox.control.mint(app.client_id, username=account, scope=" ".join(scopes))
    with transaction.atomic():
        made = Connection.objects.get(id=store_grant(tokens, tenant=app.tenant, app=app, end_user=end_user))
        made.belong_to(PEOPLE[account].subject, PEOPLE[account].name)
        made.verify(made.authorized_at, by="connect")
    return Connection.objects.get(id=made.id)
