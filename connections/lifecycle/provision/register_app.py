"""Have a provider app registered at its authorization server, without hands, or say why that takes some."""

from dataclasses import dataclass

from connections.journal import audit
from connections.lifecycle.registration.obtain import obtain
from connections.models import ProviderApp, RegisteredClient
from connections.refusals import AppMisconfigured, ProviderDown


def why_refused(app: ProviderApp) -> str:
    """Return why the authorization server has not let a stored ``app`` register itself, "" if it has not said no.

    Such an app is a draft; ``register_itself`` asks once more. One query at most.
    """
    if app._state.adding or app.registers_itself or app.client_id:
        return ""
    asked = app.registered_clients.filter(replaced_at=None, client_id="", issuer=app.discovered.get("issuer", ""))
    return asked.values_list("problem", flat=True).first() or ""


@dataclass(frozen=True, slots=True)
class Registering:
    """How an app comes to its client id.

    ``client`` is the client that is registered now. Without it ``told`` says why not: it is done at the first connect,
    differs from server to server, or takes the operator's hands (``by_hand``).
    """

    client: RegisteredClient | None = None
    told: str = ""
    by_hand: bool = False


def register_itself(app: ProviderApp, *, actor: audit.Actor) -> Registering:
    """Register a stored ``app`` at its authorization server, where it does so and there is one to name now. HTTP.

    Where the server does not admit us, the app becomes a draft, to be registered by hand. A server that has refused is
    asked once more, and the app is a draft no longer if it agrees. No transaction may be open.
    """
    if not app.registers_itself and not why_refused(app):
        return Registering(by_hand=True)
    if not app.discovered:
        return Registering(told="At each server's authorization server, when the first end user connects there.")
    try:
        registered = Registering(obtain(app, app.discovered, actor=actor))
    except ProviderDown as refusal:
        registered = Registering(told=f"When the first end user connects: {refusal.detail}")
    except AppMisconfigured as refusal:
        registered = Registering(told=refusal.detail, by_hand=True)
    if app.registers_itself is registered.by_hand:
        app.registers_itself = not registered.by_hand
        app.save(update_fields=["registers_itself", "updated_at"])
    return registered
