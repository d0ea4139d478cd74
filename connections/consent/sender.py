"""Whether a POST was sent by a page of the widget.

Django's CSRF check cannot serve here: under ``Referrer-Policy: no-referrer`` browsers send ``Origin: null`` with our
own forms, and the check refuses that. ``Sec-Fetch-Site`` says who sent the form, and no page can forge it; nor can it
forge an ``Origin`` that is not null. Browsers too old for ``Sec-Fetch-Site`` send ``Origin`` as null or not at all.
From those, the form must hold a proof that only our own page can have: it is made from the browser's cookie.
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
        return Sender.OURS if _parts(origin) == _parts(settings.WIDGET_URL) else Sender.FOREIGN
    given = request.POST.get(PROOF, "")
    is_proved = bool(secret) and hmac.compare_digest(form_proof(session_id, secret).encode(), given.encode())
    return Sender.OURS if is_proved else Sender.UNSAID


def lacks_cookie(request: HttpRequest, *, secret: str | None) -> bool:
    """Whether a form with a proof came without any cookie: the browser was given one, so it keeps none."""
    return secret is None and bool(request.POST.get(PROOF))


def form_proof(session_id: uuid.UUID, secret: str | None) -> str:
    """Return the proof to put into a form of this session: an HMAC under the cookie ``secret``; "" without a cookie."""
    return hmac.digest(secret.encode(), b"form:" + session_id.bytes, "sha256").hex() if secret else ""


def _parts(origin: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(origin)
        return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", "", None
