"""Kept: the credential that a session has obtained, in the form in which it is sealed into the session.

A session keeps one after it has tried a pasted key or exchanged a code. The credential then goes to the connection, or
is destroyed with the session. A kept credential is never vended. No I/O.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.strategies.workspaces import Workspace
from providers.values import Account, Credential, Obtained


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of workspace for the end user: the workspaces ``offered``, and the id of the ``chosen`` one, or "".

    Only the operator's backend and the browser that it sends to the page know ``token``. ``completion_code`` is the
    code with which the session was confirmed, or "" where the session opted out of the confirmation.
    """

    offered: tuple[Workspace, ...]
    token: str = field(repr=False)
    completion_code: str = field(repr=False)
    chosen: str = ""

    @property
    def chosen_params(self) -> Mapping[str, str]:
        """The connection parameters of the chosen workspace, by name. Empty before the choice."""
        return next((item.params for item in self.offered if item.id == self.chosen), {})

    def offers(self, workspace_id: str) -> bool:
        """Whether ``workspace_id`` is one of those on offer."""
        return any(item.id == workspace_id for item in self.offered)


@dataclass(frozen=True, slots=True)
class Kept:
    """A credential and the facts known about it. Its lifetime counts from ``obtained_at``.

    ``was_tried``: a probe was made already, and ``account`` and ``is_verified`` are its result.
    """

    obtained: Obtained
    obtained_at: datetime
    was_tried: bool = False
    account: Account | None = None
    is_verified: bool = False
    choice: Choice | None = None

    @classmethod
    def of(cls, obtained: Obtained, target: Target, **known: Any) -> Self:
        """Return ``obtained`` as it is kept: bound to the party behind ``target``, which issued it.

        ``known`` holds further members of ``Kept``, by name; ``obtained_at`` is required.
        """
        credential = replace(obtained.credential, granted_by=target.grantor)
        return cls(replace(obtained, credential=credential), **known)

    def with_choice(self, workspace_id: str) -> "Kept":
        """Return a copy with this workspace chosen. Raises ``ValueError`` where no choice was offered."""
        if self.choice is None:
            raise ValueError("There is no choice to make.")
        return replace(self, choice=replace(self.choice, chosen=workspace_id))

    def to_bytes(self) -> bytes:
        """Return the plaintext to seal: a JSON object, which ``from_document`` reads."""
        scopes, account, choice = self.obtained.scopes, self.account, self.choice
        document: dict[str, Any] = {
            "credential": self.obtained.credential.to_bytes().decode(),
            "lifetime_seconds": self.obtained.lifetime_seconds,
            "refresh_lifetime_seconds": self.obtained.refresh_lifetime_seconds,
            "idle_lifetime_seconds": self.obtained.idle_lifetime_seconds,
            "grant_lifetime_seconds": self.obtained.grant_lifetime_seconds,
            "is_endless": self.obtained.is_endless,
            "id_token": None if self.obtained.id_token is None else self.obtained.id_token.get_secret_value(),
            "scopes": None if scopes is None else list(scopes),
            "obtained_at": self.obtained_at.isoformat(),
            "was_tried": self.was_tried,
            "account": None if account is None else {"id": account.id, "name": account.name},
            "is_verified": self.is_verified,
        }
        if choice is not None:
            document["choice"] = {
                "offered": [[item.id, item.name, dict(item.params)] for item in choice.offered],
                "token": choice.token,
                "completion_code": choice.completion_code,
                "chosen": choice.chosen,
            }
        return json.dumps(document).encode()

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the value that ``to_bytes`` wrote, from its parsed JSON object."""
        scopes, account, choice = document["scopes"], document["account"], document.get("choice")
        return cls(
            obtained=Obtained(
                credential=Credential.from_bytes(document["credential"].encode()),
                lifetime_seconds=document["lifetime_seconds"],
                refresh_lifetime_seconds=document["refresh_lifetime_seconds"],
                idle_lifetime_seconds=document["idle_lifetime_seconds"],
                grant_lifetime_seconds=document["grant_lifetime_seconds"],
                is_endless=document["is_endless"],
                id_token=SecretStr(document["id_token"]) if document.get("id_token") else None,
                scopes=None if scopes is None else tuple(scopes),
            ),
            obtained_at=datetime.fromisoformat(document["obtained_at"]),
            was_tried=document["was_tried"],
            account=None if account is None else Account(**account),
            is_verified=document["is_verified"],
            choice=None
            if choice is None
            else Choice(
                offered=tuple(Workspace(*item) for item in choice["offered"]),
                token=choice["token"],
                completion_code=choice["completion_code"],
                chosen=choice["chosen"],
            ),
        )
