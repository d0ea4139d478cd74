"""The refusal for a caller that wants to call the provider while a kill switch or a pause is on."""

from connections.models import Connection
from connections.refusals import Paused, Suspended


def switched_off(connection: Connection) -> Suspended | None:
    """Return why the provider may not be called for ``connection``, or None if it may be.

    A kill switch gives ``Suspended`` and comes before a pause, which gives ``Paused``. The refusal is returned and not
    raised. No I/O if the tenant and the provider app of ``connection`` are loaded.
    """
    if connection.is_suspended:
        return Suspended("An operator has switched this off: nothing is sent to the provider until it is resumed.")
    if connection.is_paused:
        return Paused("An operator has paused this: nothing is sent to the provider until it is unpaused.")
    return None
