"""The calls of Latchkey's JSON API that a product needs. Only its backend makes them: the key never leaves it."""

import base64
import hashlib
from typing import Any
from urllib.parse import quote

import requests

_TIMEOUT_SECONDS = (3, 40)  # a vend may wait for a refresh, and completing waits for the provider


class LatchkeyProblem(Exception):
    """Latchkey refused or cannot be reached: ``code`` is stable and for programs, ``detail`` is for people."""

    def __init__(self, *, status: int, code: str, detail: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail


class Latchkey:
    """One tenant's view of Latchkey. Every method raises ``LatchkeyProblem``."""

    def __init__(self, *, base_url: str, api_key: str) -> None:
        self._api = f"{base_url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False  # it is our own server: no proxy of the machine's in between
        self._session.headers["Authorization"] = f"Bearer {api_key}"

    def begin(
        self, *, end_user: str, return_url: str, code_verifier: str, connection: str | None = None, **wanted: Any
    ) -> tuple[str, str]:
        """Invite ``end_user`` to connect (or to renew ``connection``).

        Returns the session's id and the address to send them to. ``code_verifier`` is for ``complete``: only its hash
        goes to Latchkey now.
        """
        order = {
            "end_user": end_user,
            "return_url": return_url,
            "code_challenge": _challenge(code_verifier),
            "connection": connection,
            **wanted,
        }
        session = self._call("POST", "connect-sessions", order)
        return str(session["id"]), str(session["connect_url"])

    def manage(self, *, end_user: str, return_url: str, code_verifier: str, providers: list[str]) -> tuple[str, str]:
        """Invite ``end_user`` to the page of their own connections, from which they may connect ``providers``.

        Returns the session's id and the address to send them to at once. ``code_verifier`` is for ``complete``, where
        they come back with something that they connected there.
        """
        order = {
            "end_user": end_user,
            "return_url": return_url,
            "code_challenge": _challenge(code_verifier),
            "providers": providers,
        }
        session = self._call("POST", "management-sessions", order)
        return str(session["id"]), str(session["manage_url"])

    def complete(self, session_id: str, *, completion_code: str, end_user: str, code_verifier: str) -> dict[str, Any]:
        """Confirm that it was ``end_user`` who connected, in the login session that began it.

        Returns ``{"connection": …}``, or ``{"next": address}`` where they first have to choose one of several
        workspaces: send them there; they come back to the return URL as they did now.
        """
        confirmation = {"completion_code": completion_code, "end_user": end_user, "code_verifier": code_verifier}
        return self._call("POST", f"connect-sessions/{quote(session_id, safe='')}/complete", confirmation)

    def connections(self, *, end_user: str) -> list[dict[str, Any]]:
        """Return the connections of ``end_user``, newest first; the first 200 will do here."""
        return list(self._call("GET", "connections", end_user=end_user, limit=200)["items"])

    def connection(self, connection_id: str) -> dict[str, Any]:
        """Return one connection of the tenant, whichever end user it belongs to."""
        return self._call("GET", f"connections/{connection_id}")

    def vend(self, connection_id: str, *, end_user: str, purpose: str) -> dict[str, Any]:
        """Return a credential that works now. Latchkey refuses it for anybody but the connection's own end user."""
        order = {"end_user": end_user, "purpose": purpose}
        return self._call("POST", f"connections/{connection_id}/credential", order)

    def report(self, connection_id: str, *, version: str, status: int) -> None:
        """Report that the provider refused a vended credential, so that Latchkey probes it at once."""
        self._call("POST", f"connections/{connection_id}/report", {"version": version, "status": status})

    def disconnect(self, connection_id: str) -> dict[str, Any]:
        """Stop vending, and have the grant revoked at the provider."""
        return self._call("DELETE", f"connections/{connection_id}")

    def _call(self, method: str, path: str, document: Any = None, **query: Any) -> dict[str, Any]:
        try:
            answer = self._session.request(
                method, f"{self._api}/{path}", json=document, params=query, timeout=_TIMEOUT_SECONDS
            )
            body = answer.json()
        except requests.RequestException:
            raise LatchkeyProblem(
                status=503, code="unreachable", detail="Latchkey cannot be reached at the moment: try again shortly."
            ) from None
        if not answer.ok:
            raise LatchkeyProblem(status=answer.status_code, code=body["code"], detail=body["detail"])
        return dict(body)


def _challenge(code_verifier: str) -> str:
    """Return the code challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
