"""Static keys that the end user pastes. Nothing is fetched or refreshed: only a probe tells whether they work."""

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.strategies import presenting, probing
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.fields import checked_fields
from providers.values import Credential, Obtained, Presentation, ProbeResult
from providers.vocabulary import AuthStyle


class ApiKey(Strategy):
    """One or several fields, checked for their form only."""

    style = AuthStyle.API_KEY

    def capabilities(self, target: Target) -> Capabilities:
        return Capabilities(submits=True, probes=probing.can_probe(target))

    def accept(self, target: Target, fields: dict[str, str]) -> Obtained:
        return Obtained(credential=Credential(fields=checked_fields(target, fields)))

    def present(self, target: Target, credential: Credential) -> Presentation:
        """Return the presentation: ``value`` is the first secret field, and ``params`` hold the other kind too."""
        fields = target.entry.fields_of(self.style)
        secrets = [item.name for item in fields if item.secret] or [item.name for item in fields]
        held = credential.fields
        return presenting.present(
            target,
            credential,
            auth_method="api_key",
            value=next((held[name] for name in secrets if name in held), SecretStr("")),
            params={i.name: held[i.name].get_secret_value() for i in fields if not i.secret and i.name in held},
        )

    def probe(self, target: Target, credential: Credential) -> ProbeResult:
        return probing.probe(target, credential, self.present(target, credential))
