"""A canary in a running stack: ``python -m tests.campaigns.canary``, under the stack's environment.

Lays one among acme's connections, and prints its id.
"""

import django

django.setup()

from connections.database.clock import database_now  # noqa: E402 - the apps must be ready
from connections.journal.audit import SYSTEM  # noqa: E402 - the apps must be ready
from connections.lifecycle.watch.lay import Canary, lay_canary  # noqa: E402 - the apps must be ready
from connections.models import ProviderApp, Tenant  # noqa: E402 - the apps must be ready


def lay() -> str:
    """Lay it for an end user whom nobody serves, and return its id."""
    tenant = Tenant.objects.get(slug="acme")
    app = ProviderApp.objects.get(tenant=tenant, provider="sandbox")
    return str(lay_canary(Canary(end_user="archive"), tenant=tenant, app=app, now=database_now(), actor=SYSTEM).id)


if __name__ == "__main__":
    print(lay())
