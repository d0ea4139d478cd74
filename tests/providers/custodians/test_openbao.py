"""OpenBao and Vault: who we are there, and what is asked again when a token has ended."""

import pytest
from pydantic import SecretStr

from providers.custodians import openbao
from providers.custodians.asking import CustodianAway, CustodianRefuses
from tests.providers.custodians.stand_ins import Bao, given
from tests.providers.custodians.test_wrapping import Use

ENCRYPT = ("POST", "transit/encrypt/latchkey")
BODY = {"plaintext": "QQ==", "associated_data": "eA=="}


def logins(bao: Bao) -> list[str]:
    return [call.path for call in bao.calls if "/auth/" in call.path]


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
        openbao.call(*ENCRYPT, body=BODY)
    assert len(logins(bao)) == 1


def test_a_token_that_was_revoked_is_replaced_once(bao: Bao, use: Use) -> None:
    use(bao.custody(token=lambda: None, role_id=Bao.ROLE, secret_id=given(Bao.SECRET)))
    openbao.call(*ENCRYPT, body=BODY)
    bao.tokens.clear()
    openbao.call(*ENCRYPT, body=BODY)
    assert len(logins(bao)) == 2


def test_a_token_in_a_file_is_read_each_time(bao: Bao, use: Use) -> None:
    there = {"token": "s.ended"}
    use(bao.custody(token=lambda: SecretStr(there["token"])))
    with pytest.raises(CustodianAway):
        openbao.call(*ENCRYPT, body=BODY)
    there["token"] = Bao.TOKEN
    openbao.call(*ENCRYPT, body=BODY)
    assert logins(bao) == []


def test_a_namespace_is_named_in_each_call(bao: Bao, use: Use) -> None:
    bao.namespace = "team-a"
    use(bao.custody(namespace="team-a", token=lambda: None, role_id=Bao.ROLE, secret_id=given(Bao.SECRET)))
    openbao.call(*ENCRYPT, body=BODY)
    use(bao.custody())
    with pytest.raises(CustodianRefuses):
        openbao.call(*ENCRYPT, body=BODY)


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
        openbao.call(*ENCRYPT, body=BODY)
    assert "s.wrong" not in repr(told.value)


def test_an_answer_that_is_none_is_told(bao: Bao, use: Use) -> None:
    use(bao.custody())
    with pytest.raises(CustodianRefuses, match="404"):
        openbao.call("POST", openbao.path_of("transit", "encrypt", "a b?c"), body=BODY)
    assert bao.calls[-1].path == "/v1/transit/encrypt/a%20b%3Fc"
