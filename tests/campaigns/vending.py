"""The requests of a bench of vends: to the product, and to the yardstick that does the least (``bare_wsgi``)."""

import json
from typing import Any

from tests.campaigns.load import request_bytes


def vend_requests(url: str, populated: dict[str, Any]) -> list[bytes]:
    """Return one vend of each connection that ``populate`` made."""
    return [
        request_bytes(
            "POST",
            f"{url}/api/v1/connections/{connection}/credential",
            headers=_headers(populated),
            body=json.dumps({"end_user": f"user-{number}"}).encode(),
        )
        for number, connection in enumerate(populated["connections"])
    ]


def bare_requests(url: str, populated: dict[str, Any]) -> list[bytes]:
    """Return the same for the yardstick, which reads the connection from the body."""
    return [
        request_bytes(
            "POST",
            f"{url}/vend",
            headers=_headers(populated),
            body=json.dumps({"end_user": f"user-{number}", "connection": connection}).encode(),
        )
        for number, connection in enumerate(populated["connections"])
    ]


def _headers(populated: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {populated['key']}", "Content-Type": "application/json"}
