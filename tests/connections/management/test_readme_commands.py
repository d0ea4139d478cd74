"""Every command in a block of the README and the pages beside it works as it stands there, one after the other.

Addresses that no test may call are played by the sandbox; files are made beforehand.
``tests/browser/demo/test_tour.py`` types the first of them into a shell, against the stack of ``make demo``.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from connections.models import ProviderApp
from providers.catalog.loader import configure_catalog
from providers.dialects.keys import ACCOUNT, pem_of
from providers.sandbox.client import SandboxProcess
from tests.connections.management.conftest import Run
from tests.sources import Folder

ROOT = Path(__file__).parents[3]
MANAGEMENT = ROOT / "connections" / "management" / "README.md"
README = ROOT / "README.md"
ENTRIES = ROOT / "providers" / "catalog" / "README.md"
PAGES = (README, ROOT / "providers" / "README.md", MANAGEMENT, ROOT / "connections" / "api" / "README.md", ENTRIES)
OWN = """name = "Acme"
base_url = "https://api.acme.example"
[authorization_code]
authorization_url = "https://login.acme.example/authorize"
token_url = "https://login.acme.example/token"
"""
DIALECT = """[acme]
kind = "code"
authorize = "https://login.acme.example/authorize"
token = "https://login.acme.example/token"
api = "https://api.acme.example"
headers = { Authorization = "Bearer {token}" }
"""
# What each prints, by its beginning. A command that is not here fails: add what it has to say.
SAYS = {
    "providers list": "hubspot",
    "providers add --issuer": "Added the provider our-login",
    "providers add --mcp": "Added the provider example-tools",
    "providers add acme.toml": "Added the provider acme",
    "providers schema": '"$schema"',
    "providers check": "is in order",
    "providers dialect": "Where is the end user sent?",
    "providers try": "The entry and the dialect agree",
    "provider_apps add our-login --client-id": "client_secrets",
    "provider_apps add our-login": "Added the provider app",
    "provider_apps add github-app": "Added the provider app GitHub",
    "provider_apps add example-tools": "Registered by",
    "provider_apps add mcp": "Added the provider app",
    "provider_apps add acme": "Added the provider app Acme",
    "tenants add": "globex",
    "api_clients add": "lk_",
    "app_keys make our-login --algorithm ES256": "BEGIN PUBLIC KEY",
    "app_keys make our-login --lead-hours 48": "BEGIN PUBLIC KEY",
    "app_keys bring github-app": "BEGIN PUBLIC KEY",
    "connections import": "A dry run",
    "apply latchkey.toml --dry-run": "dry run",
    "apply latchkey.toml": "made",
    "audit prune": "Deleted 0 audit rows",
    "audit verify": "seal",
}
# These are of whole installations, or never end: `make check`, `make demo` and tests of their own run them.
OF_INSTALLATIONS = ("migrate", "collectstatic", "check --deploy", "audit export --follow")


def shown(page: Path) -> Iterator[str]:
    """Yield the commands in the console blocks of ``page``, without ``./manage.py``, in their order."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                for part in line[2:].split(" && "):
                    command = re.sub(r"\s+#.*|\s+>.*", "", part)
                    if command.startswith("./manage.py "):
                        yield command.removeprefix("./manage.py ").strip()


def mentioned(page: Path) -> Iterator[tuple[str, str]]:
    """Yield command and subcommand of every command that the text of ``page`` names, "" where it names none."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    known = {path.stem for path in (ROOT / "connections" / "management" / "commands").glob("[a-z]*.py")}
    for said in re.findall(r"`(?:(?:\./)?manage\.py )?([a-z_]+ [a-z-]+)[^`]*`", text):
        command, _, subcommand = said.partition(" ")
        if command in known:
            yield command, subcommand
    for command in re.findall(r"`(?:\./)?manage\.py ([a-z_]+)`", text):
        yield command, ""


@pytest.fixture
def desk(tmp_path: Path, sandbox: SandboxProcess, settings_of_desk: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the commands name, in which they are typed."""
    (tmp_path / "secret.txt").write_text("replace-by-the-secret\n")
    (tmp_path / "export.csv").write_text("user,refresh_token\nalice,rt-1\n")
    (declared,) = re.findall(r"```toml\n(# latchkey\.toml\n.*?)```", MANAGEMENT.read_text(), re.DOTALL)
    (tmp_path / "latchkey.toml").write_text(declared)
    monkeypatch.setenv("HUBSPOT_SECRET", "replace-by-the-secret")
    (tmp_path / "app.pem").write_text(pem_of(ACCOUNT, "RS256"))
    (tmp_path / "acme.toml").write_text(OWN)
    (tmp_path / "acme.dialect.toml").write_text(DIALECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings_of_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    added = tmp_path / "entries"
    monkeypatch.setattr(settings, "CATALOG_DIR", added)
    configure_catalog(added)
    yield
    configure_catalog(None)


@pytest.mark.parametrize("pages", [PAGES[:-1], PAGES[-1:]], ids=["readme", "entries"])
def test_every_command_of_the_pages_works_as_it_stands_there(
    pages: tuple[Path, ...], run: Run, desk: Path, sandbox: SandboxProcess, mounted: Folder
) -> None:
    played = {
        "http://127.0.0.1:9400": sandbox.url,
        "https://mcp.example.com/mcp": f"{sandbox.url}/mcp",
        "vault:secret/data/our-login#client_secret": mounted.put("our-login", "replace-by-the-secret"),
    }
    commands = [command for page in pages for command in shown(page) if not command.startswith(OF_INSTALLATIONS)]
    assert len(commands) > 5
    for command in commands:
        typed = command
        for address, own in played.items():
            typed = typed.replace(address, own)
        ran = run(*shlex.split(typed))
        assert ran.code == 0, (command, ran.err)
        says = next((said for beginning, said in SAYS.items() if command.startswith(beginning)), None)
        assert says is not None, f"{command}: say in SAYS what it prints"
        assert says in ran.out, (command, ran.out)
    if README in pages:
        assert ProviderApp.objects.filter(provider__in=["our-login", "example-tools", "mcp", "github-app"]).count() == 4


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_the_text_names_is_there(page: Path) -> None:
    named = set(mentioned(page))
    assert named
    for command, subcommand in sorted(named):
        assert command in get_commands()
        if not subcommand:
            continue
        parser = load_command_class("connections", command).create_parser("manage.py", command)
        choices = [action.choices or {} for action in parser._actions if action.dest == "subcommand"]
        assert subcommand in choices[0], f"{command} {subcommand}"
