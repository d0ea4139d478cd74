"""``python config/web/healthy.py``: whether the web server of this machine lives, by its ``GRANIAN_`` variables.

For health checks of containers. It loads nothing of the project, so that it is quick.
"""

import http.client
import os
import socket
import sys

_SECONDS = 2.0


def main() -> int:
    """Ask ``/healthz`` at the Unix socket or the port; returns the exit code."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("GRANIAN_PORT", "8000")), timeout=_SECONDS)
    try:
        if path := os.environ.get("GRANIAN_UDS"):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(_SECONDS)
            connection.sock.connect(path)
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, http.client.HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
