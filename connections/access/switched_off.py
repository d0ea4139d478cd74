"""The refusal for a caller that wants to call the provider while a kill switch or a pause is on."""

from connections.models import Connection
from connections.refusals import Paused, ProviderDown, Suspended

_AWAY_SECONDS = 30


def switched_off(connection: Connection) -> Suspended | ProviderDown | None:
    """Return why the provider may not be called for ``connection``, or None if it may be.

    A kill switch gives ``Suspended`` and comes before a pause, which gives ``Paused``. A canary never calls one, and
    gives ``ProviderDown``, as if the provider were away. The refusal is returned and not
    raised. No I/O if the tenant and the provider app of ``connection`` are loaded.
    """
    if connection.is_suspended:
        return Suspended("An operator has switched this off: nothing is sent to the provider until it is resumed.")
    if connection.is_canary:
        return ProviderDown("The provider cannot be reached at the moment.", retry_after_seconds=_AWAY_SECONDS)
    if connection.is_paused:
        return Paused("An operator has paused this: nothing is sent to the provider until it is unpaused.")
    return None
