"""The examples of "How to describe a provider": each is connected, vended, used, probed and disconnected."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.models import Connection, Revocation, Tenant, Trigger
from providers.catalog import loader
from providers.catalog.schema import sections
from providers.sandbox.client import SandboxProcess
from providers.strategies import strategies
from providers.vocabulary import ProbeVerdict
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, call
from tests.styles.lived import lives

PAGE = Path(loader.__file__).with_name("README.md")
_HOST = "https://acme.example"
# The host of the examples is nobody's: the test puts the sandbox in its place.
_ISSUER = """
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^https?://.+$"
"""


def examples() -> Mapping[str, str]:
    """Return the text of each example by its style."""
    found: dict[str, str] = {}
    for text in re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        described = sections().keys() & tomllib.loads(text).keys()
        if not described:
            continue  # an example of something beside a style
        (section,) = described
        style = sections()[section].style
        assert style not in found, "one example a style"
        found[style] = text
    return found


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Path]:
    loader.configure_catalog(tmp_path)
    yield tmp_path
    loader.configure_catalog(None)


def test_there_is_an_example_of_each_style() -> None:
    assert {*examples()} == {*strategies()}


@pytest.mark.parametrize("style", examples())
def test_an_example_works_as_it_says(
    style: str, catalogue: Path, sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    text, life = examples()[style], lives()[style]()
    (catalogue / "acme.toml").write_text(text, encoding="utf-8")
    loader.load_entry(catalogue / "acme.toml")  # as it stands on the page
    (catalogue / "acme.toml").write_text(text.replace(_HOST, "{issuer}") + _ISSUER, encoding="utf-8")
    where = life.url_of(sandbox)
    app = make_sandbox_app(sandbox, at=where, tenant=acme, provider="acme", style=style, **life.client)
    life.prepare(app, sandbox)

    alice = EndUser("alice", backend)
    invitation = alice.invite(provider="acme")
    answer = alice.complete(invitation, life.go_through(alice, invitation, sandbox, app))
    assert answer.status_code == 200, answer.content
    connection = Connection.objects.get(id=answer.json()["connection"]["id"])
    assert connection.provider_account_id == life.account_of(app)
    credential = life.vended(alice, connection)
    assert life.proxy_only or life.use(credential).json()["sub"] == life.acts_as(app)
    assert probe(connection.id, trigger=Trigger.SWEEP).verdict is (ProbeVerdict.ALIVE if life.probed else None)
    assert call(backend, "DELETE", f"/connections/{connection.id}").status_code == 200
    assert (revoke(connection.id) is Revocation.CONFIRMED) == life.revokes
