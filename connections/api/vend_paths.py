"""Where vends are asked for: by a connection's id, or by its owner."""

import re

BY_ID = re.compile(r"/api/v1/connections/([0-9a-f-]{36})/credential")
BY_OWNER = "/api/v1/credentials"


def is_vend_path(path: str) -> bool:
    """Whether a vend is asked for at ``path``. No I/O."""
    return path == BY_OWNER or BY_ID.fullmatch(path) is not None
