"""Have acme's app of a running stack be told by the sandbox: ``python -m tests.processes.listening``.

Runs in a process of its own, under the stack's environment. Enters a push secret, registers the app's address at the
sandbox, and says of each connection whose account it is.
"""

import os

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps must be ready

from connections.access.targets import push_address  # noqa: E402 - the apps must be ready
from connections.models import Connection, ProviderApp  # noqa: E402 - the apps must be ready
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from providers.sandbox.people import PEOPLE  # noqa: E402 - the apps must be ready
from tests.pushing import have_pushed  # noqa: E402 - the apps must be ready


def listen() -> None:
    """Have the sandbox push to the app of acme, all of whose connections are alice's."""
    app = ProviderApp.objects.get(tenant__slug="acme", provider="sandbox")
    control = SandboxControl(os.environ["SANDBOX_URL"], ca_file=settings.EGRESS_CA_FILE)
    have_pushed(app, control, url=push_address(app.id))
    for connection in Connection.objects.filter(provider_app=app):
        connection.belong_to(PEOPLE["alice"].subject, PEOPLE["alice"].name)


if __name__ == "__main__":
    listen()
