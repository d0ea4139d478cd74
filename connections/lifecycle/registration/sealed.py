"""How the result of a registration goes into its row: sealed, and bound to the party that gave it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from connections.access.secrets import open_for_client, open_registration, seal_client_secrets, seal_for_client
from connections.access.targets import redirect_uri, registrar_of
from connections.models import RegisteredClient
from providers.oauth.registration import Management, Registered

_PART = 0.75  # of a secret's lifetime, after which it is renewed
# A secret that ends sooner is not renewed more often for that.
_NOT_BEFORE = timedelta(minutes=15)


def record(
    client: RegisteredClient,
    registered: Registered,
    *,
    discovered: Mapping[str, str],
    earlier: Sequence[SecretStr] = (),
    now: datetime,
) -> None:
    """Write what the server made of our client into its locked row.

    ``earlier`` secrets of the same client stay behind the new one: the server may still know those alone. Where it gave
    no new one, they stay as they are. Seals, with one query or two. Raises ``Unreadable`` where the data key cannot be
    unwrapped.
    """
    client.client_id = registered.client_id
    client.discovered = {**discovered, "client_authentication": registered.client_authentication.value}
    secrets = [] if registered.client_secret is None else [registered.client_secret.get_secret_value()]
    if registered.client_authentication.needs_secret:
        kept = 1 if secrets else len(earlier)
        secrets += [text for one in earlier if (text := one.get_secret_value()) not in secrets][:kept]
    expires_at = _moment(registered.secret_expires_at)
    if expires_at is not None:
        # One that is said to end sooner is tried for so long all the same: whoever connects meanwhile would only get
        # another of that kind. If the server does refuse it, the client is given up (``refused``).
        expires_at = max(expires_at, now + _NOT_BEFORE)
    client.register(
        client_id=registered.client_id,
        redirect_uri=redirect_uri(client.id),  # an update sends that of now as well
        secrets=seal_client_secrets(
            client.provider_app, secrets, registrar=registrar_of(client.provider_app, client), client=client
        ),
        management=_sealed_management(client, registered.management),
        discovered=client.discovered,
        secret_expires_at=expires_at,
        renew_at=None if expires_at is None else now + max((expires_at - now) * _PART, _NOT_BEFORE),
        at=now,
    )
    client.refresh_from_db(fields=["secrets", "management"])  # as they are stored, to be opened


def management_of(client: RegisteredClient) -> Management | None:
    """Return where the registration can be changed, None where the server offers that nowhere. One query.

    Raises ``Unreadable``.
    """
    if client.management is None:
        return None
    document = json.loads(open_for_client(client, "management"))
    return Management(document["uri"], SecretStr(document["token"]))


def secrets_of(client: RegisteredClient) -> tuple[SecretStr, ...]:
    """Return the client's secrets, the newest first. One query. Raises ``Unreadable``."""
    return open_registration(client.provider_app, client=client).secrets


def _sealed_management(client: RegisteredClient, management: Management | None) -> bytes | None:
    if management is None:
        return None
    document = {"uri": management.uri, "token": management.token.get_secret_value()}
    return seal_for_client(client, "management", json.dumps(document).encode())


def _moment(epoch: int | None) -> datetime | None:
    return None if epoch is None else datetime.fromtimestamp(epoch, tz=UTC)
