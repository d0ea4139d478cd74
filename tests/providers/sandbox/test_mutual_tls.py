"""Mutual TLS at the sandbox: an address that asks for certificates, and whose each is."""

from pathlib import Path

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.mutual_tls import MutualTls


def me(made: dict[str, str], folder: Path, *, shown: tuple[str, str] | None) -> requests.Response:
    (folder / "ca.pem").write_text(made["authority"])
    if shown is not None:
        (folder / "client.pem").write_text("".join(shown))
    cert = str(folder / "client.pem") if shown is not None else None
    return requests.get(f"{made['url']}/me", verify=str(folder / "ca.pem"), cert=cert, timeout=20)


def test_a_certificate_is_whose_it_was_issued_for_until_it_is_revoked(sandbox: SandboxProcess, tmp_path: Path) -> None:
    made = sandbox.control.certificate("bob")
    own = (made["certificate"], made["private_key"])
    assert me(made, tmp_path, shown=own).json()["sub"] == "person-1002"
    assert me(made, tmp_path, shown=None).status_code == 401
    assert sandbox.control.certificate("bob")["url"] == made["url"], "there is one such address"
    sandbox.control.revoke_certificate(made["thumbprint"])
    assert me(made, tmp_path, shown=own).status_code == 401
    assert [entry.outcome for entry in sandbox.control.log(endpoint="me")][-1] == "certificate_unknown"


def test_a_certificate_of_another_authority_or_one_that_has_ended_ends_the_handshake(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    made, stranger = sandbox.control.certificate("bob"), MutualTls().issue("bob")
    ended = sandbox.control.certificate("bob", days=-1)
    for shown in ((stranger.certificate, stranger.private_key), (ended["certificate"], ended["private_key"])):
        with pytest.raises(requests.RequestException):
            me(made, tmp_path, shown=shown)
