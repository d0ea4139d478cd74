"""Pasted keys, through a whole life: in each place in which a provider may want them, and two at once."""

from connections.models import Connection
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.styles.contract import TypedStyleContract

_ENTRY = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[[api_key.fields]]
name = "api_key"
label = "API key"
"""


def entry(presentation: str, *, probe: str = 'url = "{issuer}/me"', fields: str = "") -> str:
    """Return an entry whose key travels as ``presentation`` says."""
    return f'{_ENTRY}{fields}[presentation.api_key]\n{presentation}\n[probe]\n{probe}\naccount_id = "/sub"\n'


class TestInAHeader(TypedStyleContract):
    style = ApiKeyMethod.style
    auth_method = "api_key"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"api_key": sandbox.control.api_key("alice")}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke_api_keys("alice")


class TestInTheQuery(TestInAHeader):
    entry = entry('query = { api_key = "{api_key}" }')


class TestInThePath(TestInAHeader):
    entry = entry('base_url = "{issuer}/keyed/{api_key}"', probe='url = "{issuer}/keyed/{api_key}/me"')


class TestInTheBody(TestInAHeader):
    entry = entry('body = { api_key = "{api_key}" }', probe='url = "{issuer}/me"\nmethod = "POST"')


class TestTwoAtOnce(TestInAHeader):
    entry = entry(
        'headers = { X-Api-Key = "{api_key}", X-Second-Key = "{second_key}" }',
        fields='[[api_key.fields]]\nname = "second_key"\nlabel = "Second key"\n',
    )

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"api_key": sandbox.control.api_key("alice"), "second_key": sandbox.control.api_key("alice")}
