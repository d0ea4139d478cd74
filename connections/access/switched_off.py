"""What a kill switch or a pause says to whoever would call the provider for a connection."""

from connections.models import Connection
from connections.refusals import Paused, Suspended


def switched_off(connection: Connection) -> Suspended | None:
    """Return what stands against a call to the provider for ``connection``: a kill switch, or else a pause."""
    if connection.is_suspended:
        return Suspended("An operator has switched this off: nothing is sent to the provider until it is resumed.")
    if connection.is_paused:
        return Paused("An operator has paused this: nothing is sent to the provider until it is unpaused.")
    return None
