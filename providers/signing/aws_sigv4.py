"""AWS Signature Version 4: requests-aws4auth makes it, in headers.

botocore could, too, but weighs 20 MB and knows every service of AWS, of which nothing is needed here.
"""

from pydantic import SecretStr
from requests_aws4auth import AWS4Auth

from providers.egress import Signer


def sigv4_signer(
    *, access_key_id: str, secret_access_key: SecretStr, session_token: SecretStr | None, region: str, service: str
) -> Signer:
    """Return what signs a request for ``service`` in ``region``. ``session_token`` goes with temporary keys. No I/O."""
    signer: Signer = AWS4Auth(
        access_key_id,
        secret_access_key.get_secret_value(),
        region,
        service,
        session_token=None if session_token is None else session_token.get_secret_value(),
    )
    return signer
