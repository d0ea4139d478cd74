"""Kept: the credential that a session has already, in the form in which it is sealed into the session.

It is there once a pasted key has been tried or a code exchanged, and goes with the session: to the connection, or
nowhere. Nothing of it is vended.
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
    """A choice of workspace that was put to the end user: ``offered`` is, and the id ``chosen``, or "".

    ``token`` is known to the operator's backend and the browser that it sends there; ``completion_code`` is the one
    with which the session was confirmed, "" where it opted out of that.
    """

    offered: tuple[Workspace, ...]
    token: str = field(repr=False)
    completion_code: str = field(repr=False)
    chosen: str = ""

    @property
    def chosen_params(self) -> Mapping[str, str]:
        """The values of the workspace that was chosen."""
        return next((item.params for item in self.offered if item.id == self.chosen), {})

    def offers(self, workspace_id: str) -> bool:
        """Whether ``workspace_id`` is one of those on offer."""
        return any(item.id == workspace_id for item in self.offered)


@dataclass(frozen=True, slots=True)
class Kept:
    """A credential and what is known of it. ``obtained_at`` is the moment from which its lifetime counts.

    ``was_tried`` says that ``account`` and ``is_verified`` are the answer of a probe made already.
    """

    obtained: Obtained
    obtained_at: datetime
    was_tried: bool = False
    account: Account | None = None
    is_verified: bool = False
    choice: Choice | None = None

    @classmethod
    def of(cls, obtained: Obtained, target: Target, **known: Any) -> Self:
        """Return ``obtained``, fresh from ``target``, as it is kept: bound to who gave it."""
        credential = replace(obtained.credential, granted_by=target.grantor)
        return cls(replace(obtained, credential=credential), **known)

    def with_choice(self, workspace_id: str) -> "Kept":
        """Return the same with the choice made."""
        if self.choice is None:
            raise ValueError("There is no choice to make.")
        return replace(self, choice=replace(self.choice, chosen=workspace_id))

    def to_bytes(self) -> bytes:
        """Return the plaintext to seal."""
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
        """Return what ``to_bytes`` wrote, already parsed."""
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
