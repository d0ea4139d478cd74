from pydantic import SecretStr

from providers.values import AuthorizationRequest, ClientRegistration, CodeGrant, Credential, Presentation


def test_credential_survives_sealing() -> None:
    credential = Credential(
        access_token=SecretStr("ät"),
        refresh_token=SecretStr("rt"),
        token_type="bot",
        fields={"client_id": SecretStr("c")},
        extra={"instance_url": "https://eu1.example"},
    )
    assert Credential.from_bytes(credential.to_bytes()) == credential
    assert Credential.from_bytes(Credential().to_bytes()) == Credential()


def test_main_secret_is_the_token_or_the_fields_in_order() -> None:
    assert Credential(access_token=SecretStr("at"), fields={"a": SecretStr("1")}).main_secret() == "at"
    assert Credential(fields={"b": SecretStr("2"), "a": SecretStr("1")}).main_secret() == "a=1\nb=2"


def test_no_value_shows_its_secrets() -> None:
    canary = SecretStr("canary")
    values = [
        Credential(canary, canary, fields={"k": canary}, extra={"x": "canary"}),
        ClientRegistration("id", (canary,)),
        AuthorizationRequest(state="canary", scopes=(), code_verifier="canary"),
        CodeGrant(canary, canary),
        Presentation("bearer", canary, {"A": "canary"}, {"q": "canary"}, params={"p": "canary"}),
    ]
    assert "canary" not in repr(values)
