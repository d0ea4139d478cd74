"""OpenBao and Vault: who we are there, and what is asked again when a token has ended."""

import time
from typing import Any

import pytest
from pydantic import SecretStr

from providers.custodians import leases, openbao
from providers.custodians.asking import CustodianAway, CustodianError, CustodianRefuses
from providers.custodians.wrapping import KEY_SERVICES, Wrapped
from tests.providers.custodians.stand_ins import Bao, given
from tests.providers.custodians.test_wrapping import Use

BODY = {"plaintext": "QQ==", "associated_data": "eA=="}


def encrypt(path: str = "transit/encrypt/latchkey") -> None:
    openbao.call("POST", path, decides=lambda status, told: False, body=BODY)


def logins(bao: Bao) -> list[str]:
    return [call.path for call in bao.calls if call.path.endswith("/login")]


@pytest.mark.parametrize(
    "login",
    [
        {"role_id": Bao.ROLE, "secret_id": given(Bao.SECRET)},
        {"kubernetes_role": Bao.ROLE, "kubernetes_token": given(Bao.JWT)},
    ],
    ids=["approle", "kubernetes"],
)
def test_a_login_is_good_for_many_calls(bao: Bao, use: Use, login: dict[str, object]) -> None:
    use(bao.custody(token=lambda: None, **login))
    for _ in range(3):
        encrypt()
    assert len(logins(bao)) == 1


def test_a_token_that_was_revoked_is_replaced_once(bao: Bao, use: Use) -> None:
    use(bao.custody(token=lambda: None, role_id=Bao.ROLE, secret_id=given(Bao.SECRET)))
    encrypt()
    bao.tokens.clear()
    encrypt()
    assert len(logins(bao)) == 2


def test_a_token_in_a_file_is_read_each_time(bao: Bao, use: Use) -> None:
    there = {"token": "s.ended"}
    use(bao.custody(token=lambda: SecretStr(there["token"])))
    with pytest.raises(CustodianAway):
        encrypt()
    there["token"] = Bao.TOKEN
    encrypt()
    assert logins(bao) == []


def test_a_namespace_is_named_in_each_call(bao: Bao, use: Use) -> None:
    bao.namespace = "team-a"
    use(bao.custody(namespace="team-a", token=lambda: None, role_id=Bao.ROLE, secret_id=given(Bao.SECRET)))
    encrypt()
    use(bao.custody())
    with pytest.raises(CustodianAway, match="nothing mounted there"):
        encrypt()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": ""}, "VAULT_ADDR is not set"),
        ({"token": lambda: None}, "No login to Vault is set"),
        ({"token": given("s.wrong")}, "policy does not allow it, or the token has ended"),
        ({"token": lambda: None, "role_id": "other"}, "refused the login at auth/approle/login"),
        ({"url": "http://127.0.0.1:9"}, "could not be reached"),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(bao: Bao, use: Use, changes: dict[str, object], says: str) -> None:
    use(bao.custody(**changes))
    with pytest.raises(CustodianAway, match=says) as told:
        encrypt()
    assert "s.wrong" not in repr(told.value)


def test_a_path_is_escaped(bao: Bao, use: Use) -> None:
    use(bao.custody())
    with pytest.raises(CustodianAway, match="404"):
        encrypt(openbao.path_of("transit", "encrypt", "a b?c"))
    assert bao.calls[-1].path == "/v1/transit/encrypt/a%20b%3Fc"


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, {"errors": ["encryption key not found"]}, CustodianRefuses),
        (400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}, CustodianRefuses),
        (400, {"errors": ["cipher: message authentication failed"]}, CustodianRefuses),
        (400, {"errors": ["invalid ciphertext: unable to decrypt"]}, CustodianRefuses),
        (500, {"errors": ["1 error occurred:\n\t* cipher: message authentication failed\n\n"]}, CustodianRefuses),
        (404, {"errors": ['no handler for route "transit/decrypt/latchkey". route entry not found.']}, CustodianAway),
        (404, {"errors": []}, CustodianAway),
        (404, {"errors": ["namespace not found"]}, CustodianAway),
        (400, {"errors": ["error performing token check: Vault is sealed"]}, CustodianAway),
        (400, {"errors": ["client sent an HTTP request to an HTTPS server"]}, CustodianAway),
        (400, {"errors": ["invalid ciphertext: version is too new"]}, CustodianAway),
        (400, {"errors": "encryption key not found"}, CustodianAway),
        (400, {"errors": [7, None, {"encryption key not found": 1}]}, CustodianAway),
        (400, {"data": {"error": "encryption key not found"}}, CustodianAway),
        (404, {"message": "no Route matched with those values"}, CustodianAway),
        (429, {"errors": []}, CustodianAway),
        (503, {"errors": ["Vault is sealed"]}, CustodianAway),
    ],
    ids=str,
)
def test_a_key_is_given_up_for_the_words_of_its_own_engine_alone(
    bao: Bao, use: Use, status: int, document: Any, kind: type[CustodianError]
) -> None:
    use(bao.custody())
    bao.before = (status, document)
    with pytest.raises(CustodianError) as told:
        KEY_SERVICES["vault-transit"].unwrap(Wrapped(Bao.NAME, b"vault:v1:QQ=="), binding="1")
    assert type(told.value) is kind


def renewals(bao: Bao) -> int:
    return sum(call.path == "/v1/auth/token/renew-self" for call in bao.calls)


@pytest.mark.parametrize(
    ("lease_seconds", "after", "times"), [(3600, 1700, 1), (3600, 1900, 2), (0, 1900, 1), (0, 3700, 2)]
)
def test_the_token_of_the_settings_is_renewed_when_half_its_life_is_over(
    bao: Bao, use: Use, monkeypatch: pytest.MonkeyPatch, lease_seconds: int, after: float, times: int
) -> None:
    bao.lease_seconds = lease_seconds
    use(bao.custody())
    for _ in range(3):
        encrypt()
    assert renewals(bao) == 1
    later = time.monotonic() + after
    monkeypatch.setattr(leases.time, "monotonic", lambda: later)
    encrypt()
    assert renewals(bao) == times


def test_one_that_cannot_be_renewed_is_used_as_long_as_it_lives(bao: Bao, use: Use) -> None:
    bao.renewable = False
    use(bao.custody())
    for _ in range(3):
        encrypt()
    assert renewals(bao) == 1
    assert openbao.token_life() == openbao.TokenLife(3600.0, is_renewable=False)


def test_a_token_of_a_login_is_not_asked_about(bao: Bao, use: Use) -> None:
    use(bao.custody(token=lambda: None, role_id=Bao.ROLE, secret_id=given(Bao.SECRET)))
    encrypt()
    assert (renewals(bao), openbao.token_life()) == (0, None)
