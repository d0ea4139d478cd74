"""AWS Signature Version 4: a static access key that signs each request, and is handed to nobody."""

from collections.abc import Iterable

from providers.catalog.aws_sigv4_method import AwsSigV4Method
from providers.catalog.resolve import Target
from providers.catalog.template import render
from providers.errors import Evidence, MisconfiguredProvider
from providers.signing.aws_sigv4 import sigv4_signer
from providers.strategies.base import Capabilities, Strategy
from providers.strategies.calling import Sending
from providers.values import Credential


class AwsSigV4(Strategy):
    """Keeps the typed access key, and signs with it."""

    method = AwsSigV4Method
    title = "AWS access key"
    invitation = "Connect with an access key of {name}"
    auth_method = "aws_sigv4"

    def _capabilities(self, target: Target) -> Capabilities:
        return Capabilities()

    def _sendings(self, target: Target, credential: Credential) -> Iterable[Sending]:
        method, held = target.described_as(AwsSigV4Method), credential.fields
        if not {"access_key_id", "secret_access_key"} <= held.keys():
            raise MisconfiguredProvider(Evidence("The credential lacks its access key.", sent=False))
        signer = sigv4_signer(
            access_key_id=held["access_key_id"].get_secret_value(),
            secret_access_key=held["secret_access_key"],
            session_token=held.get("session_token"),
            region=render(method.region, target.params),
            service=render(method.service, target.params),
        )
        return (Sending(sign=signer),)
