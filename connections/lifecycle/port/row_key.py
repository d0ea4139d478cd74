"""The key of a row: by it the same credential is known again, in the same file or in another, without being stored.

It is keyed by the tenant's data key, so that nobody who reads the table can try passwords against it.
"""

import hashlib
import hmac
from functools import lru_cache

from connections.vault.keyring import DataKey
from providers.values import Credential


@lru_cache(maxsize=64)
def _subkey(key: DataKey) -> bytes:
    return key.subkey("import")


def row_key(credential: Credential, *, owner: str, key: DataKey) -> bytes:
    """Return the key of ``credential``. No I/O.

    A refresh token is one whoever brings it: two connections would rotate it away from each other. Anything else may
    rightly be the credential of several ``owner``s (with their label, and the provider app).
    """
    if credential.refresh_token is not None:
        said = "refresh\n" + credential.refresh_token.get_secret_value()
    else:
        said = f"{owner}\n{credential.main_secret()}"
    return hmac.new(_subkey(key), said.encode(), hashlib.sha256).digest()


def file_digest(chunks: "hashlib._Hash", *, key: DataKey) -> bytes:
    """Return the keyed digest of a file whose SHA-256 is ``chunks``. No I/O."""
    return hmac.new(_subkey(key), b"file\n" + chunks.digest(), hashlib.sha256).digest()
