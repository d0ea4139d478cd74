"""Have acme's app of a running stack be told by the sandbox: ``python -m tests.processes.listening``.

Runs in a process of its own, under the stack's environment. Enters a push secret, registers the app's address at the
sandbox, and says of each connection whose account it is.
"""

import os

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps must be ready

from connections.access.secrets import open_client_secrets  # noqa: E402 - the apps must be ready
from connections.access.targets import push_address, redirect_uri  # noqa: E402 - the apps must be ready
from connections.journal.audit import SYSTEM  # noqa: E402 - the apps must be ready
from connections.lifecycle.provision.push_secrets import add_push_secret  # noqa: E402 - the apps must be ready
from connections.models import Connection, ProviderApp  # noqa: E402 - the apps must be ready
from providers.sandbox.client import SandboxControl  # noqa: E402 - the apps must be ready
from providers.sandbox.people import PEOPLE  # noqa: E402 - the apps must be ready

SECRET = "a-push-secret-of-the-sandbox"


def listen() -> None:
    """Have the sandbox push to the app of acme, all of whose connections are alice's."""
    app = ProviderApp.objects.get(tenant__slug="acme", provider="sandbox")
    add_push_secret(app, SECRET, actor=SYSTEM)
    (secret,) = open_client_secrets(app)
    control = SandboxControl(os.environ["SANDBOX_URL"], ca_file=settings.EGRESS_CA_FILE)
    control.register_client(
        app.client_id,
        client_secret=secret.get_secret_value(),
        redirect_uris=[redirect_uri(app.id)],
        scopes=["profile.read", "files.read", "files.write"],
        push_url=push_address(app.id),
        push_secret=SECRET,
    )
    for connection in Connection.objects.filter(provider_app=app):
        connection.belong_to(PEOPLE["alice"].subject, PEOPLE["alice"].name)


if __name__ == "__main__":
    listen()
