"""Which loopback ports the local stack listens on: the remembered one, else the usual one, else a free one."""

import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from config.local.supervisor.state import read_record, write_record

HOST = "127.0.0.1"
# Below those that systems give to outgoing connections, which would be taken again before a server listens there.
_FREE = range(20_000, 32_000)
_NEIGHBOURS = 20


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as candidate:
        # Connections of the last run that are still in TIME_WAIT must not make its port look taken.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
            candidate.listen(1)
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """Return a port of loopback that was free a moment ago, and that hardly anybody else takes meanwhile."""
    while not is_free(port := secrets.choice(_FREE)):
        continue
    return port


def choose_port(preferred: int | None, *, taken: frozenset[int] = frozenset()) -> int:
    """Return ``preferred`` if it is free and not in ``taken``, else one of the next few, else any free port."""
    if preferred:
        for port in range(preferred, min(preferred + _NEIGHBOURS, 65536)):
            if port not in taken and is_free(port):
                return port
    while (port := any_free_port()) in taken:
        continue
    return port


def choose_ports(record: Path, defaults: Mapping[str, int | None]) -> dict[str, int]:
    """Return a free port for each name in ``defaults``, and remember them in the file ``record``.

    A remembered port is tried first, so that links, bookmarks and registered redirect URIs outlive a restart. A default
    of None means any free port.
    """
    remembered = read_record(record)
    chosen: dict[str, int] = {}
    for name, default in defaults.items():
        earlier = remembered.get(name)
        taken = frozenset(chosen.values())
        if isinstance(earlier, int) and earlier not in taken and is_free(earlier):
            chosen[name] = earlier
        else:
            chosen[name] = choose_port(default, taken=taken)
    write_record(record, {**remembered, **chosen})
    return chosen
