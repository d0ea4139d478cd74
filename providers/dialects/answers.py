"""The parts of a stand-in's answers: members by their path, lifetimes in their form, addresses of metadata."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit


def well_known(url: str, name: str) -> str:
    """Return where the metadata of ``url`` is (RFC 9728 §3.1, RFC 8414 §3.1)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def proves(challenge: str, verifier: str) -> bool:
    if not challenge:
        return not verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def put(document: dict[str, Any], name: str, value: Any) -> None:
    """Set a member, which may be a path with slashes."""
    *within, last = name.strip("/").split("/")
    for step in within:
        document = document.setdefault(step, {})
    document[last] = value


def flat(document: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in document.items():
        found[name.rpartition("/")[2]] = value
        if isinstance(value, dict):
            found |= flat(value)
    return found


def texts(document: Any) -> Iterator[str]:
    if isinstance(document, dict | list):
        for item in document.values() if isinstance(document, dict) else document:
            yield from texts(item)
    else:
        yield str(document)


def written(seconds: int, form: str) -> Any:
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "seconds": seconds,
        "milliseconds": seconds * 1000,
        "minutes": seconds // 60,
        "epoch": int(end.timestamp()),
        "epoch_ms": int(end.timestamp() * 1000),
        "timestamp": end.isoformat(),
        "duration": f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}",
    }[form]
