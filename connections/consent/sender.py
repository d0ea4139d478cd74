"""Whether a POST was sent by a page of the widget.

Django's CSRF check cannot serve here: under ``Referrer-Policy: no-referrer`` browsers send ``Origin: null`` with our
own forms, which it refuses. ``Sec-Fetch-Site`` says the same and cannot be forged by a page, nor can an ``Origin`` that
is not null. Browsers too old for the one send the other as null or not at all; there the form must hold a proof that
only a page of ours can have: made from the cookie of the browser that it was shown in.
"""

import hmac
import uuid
from enum import Enum
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

PROOF = "form_proof"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Sender(Enum):
    """Whose page sent a form."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNSAID = "unsaid"


def sender_of(request: HttpRequest, session_id: uuid.UUID, *, secret: str | None) -> Sender:
    """Return whose page sent this POST; ``secret`` is the cookie that a proof would be made from."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return Sender.OURS if site == "same-origin" else Sender.FOREIGN
    origin = request.headers.get("Origin", "null")
    if origin != "null":
        return Sender.OURS if _parts(origin) == _parts(settings.PUBLIC_URL) else Sender.FOREIGN
    given = request.POST.get(PROOF, "")
    is_proved = bool(secret) and hmac.compare_digest(form_proof(session_id, secret).encode(), given.encode())
    return Sender.OURS if is_proved else Sender.UNSAID


def lacks_cookie(request: HttpRequest, *, secret: str | None) -> bool:
    """Whether a form that was given a proof comes without any cookie: then the browser keeps none."""
    return secret is None and bool(request.POST.get(PROOF))


def form_proof(session_id: uuid.UUID, secret: str | None) -> str:
    """Return what a form of the session holds where the browser has the cookie ``secret``; "" without one."""
    return hmac.digest(secret.encode(), b"form:" + session_id.bytes, "sha256").hex() if secret else ""


def _parts(origin: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(origin)
        return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None
