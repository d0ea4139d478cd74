"""Own entries: the same rules as the command's, and no way to have stored secrets sent to another address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.provision.app_keys import make_key
from connections.lifecycle.provision.own_providers import (
    Uses,
    own_file,
    prepare_own_provider,
    remove_own_provider,
    store_own_provider,
    uses_of,
)
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import AuditEvent, Connection, ProviderApp, Reason, Status, Tenant
from connections.refusals import InvalidRequest
from providers.catalog.loader import CatalogError, configure_catalog, entry, load_entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.vocabulary import SigningAlgorithm
from tests.connections.admin.conftest import make_connection
from tests.factories import make_tenant

OLGA = Actor(operator="olga")
ACME = """name = "Acme"
base_url = "https://api.acme.example"

[authorization_code]
authorization_url = "https://acme.example/authorize"
token_url = "https://acme.example/token"

[probe]
url = "https://api.acme.example/me"
"""
MOVES = [
    ACME.replace("api.acme.example/me", "evil.example/me"),
    ACME.replace('"https://api.acme.example"', '"https://evil.example"'),
    ACME.replace("https://acme.example/token", "https://evil.example/token"),
    ACME.replace("[probe]", 'revocation_url = "https://evil.example/revoke"\n\n[probe]'),
]
STAYS = ACME.replace('name = "Acme"', 'name = "Acme, renamed"\nnotes = ["See https://docs.acme.example."]')


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, db: None) -> Iterator[Path]:
    """The folder of own entries, with acme in it."""
    own = tmp_path / "own"
    configure_catalog(own)
    with override_settings(CATALOG_DIR=own):
        save("acme", ACME)
        yield own
    configure_catalog(settings.CATALOG_DIR)


@pytest.fixture
def globex() -> Tenant:
    return make_tenant("globex")


def save(slug: str, text: str) -> None:
    store_own_provider(prepare_own_provider(slug, text), actor=OLGA)


def make_app(provider: str = "acme", tenant: Tenant | None = None) -> ProviderApp:
    registration = Registration(provider, AuthorizationCodeMethod.style, client_id="c-1", client_secrets=["s-1"])
    return save_provider_app(registration, tenant=tenant, actor=SYSTEM)


def test_it_is_stored_in_force_at_once_and_audited(folder: Path) -> None:
    assert entry("acme").name == "Acme"
    assert load_entry(folder / "acme.toml") == entry("acme")
    save("acme", STAYS.replace("\n", "\r\n"))
    assert entry("acme").name == "Acme, renamed"
    assert (folder / "acme.toml").read_text(encoding="utf-8") == STAYS
    told = list(AuditEvent.objects.order_by("id").values_list("action", "operator", "detail__provider"))
    assert told == [("own_provider.added", "olga", "acme"), ("own_provider.changed", "olga", "acme")]


@pytest.mark.parametrize(
    "text", ["name = ", 'name = "A"\ncolor = "red"\n[bearer_token]\n', 'name = "A"\n', "[" * 5000, "n = " + "9" * 5000]
)
def test_mistakes_are_told_in_the_words_of_the_command(folder: Path, tmp_path: Path, text: str) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogError) as said:
        load_entry(file)
    with pytest.raises(InvalidRequest) as refused:
        prepare_own_provider("acme", text)
    assert refused.value.extra["problems"] == str(said.value).splitlines()
    assert [file.name for file in folder.glob("*.toml")] == ["acme.toml"]
    assert entry("acme").name == "Acme"


@pytest.mark.parametrize("slug", ["Acme Inc", "../acme", "", "a" * 65, "acme.toml"])
def test_a_name_that_is_no_slug_is_refused(folder: Path, slug: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        prepare_own_provider(slug, ACME)
    assert "is no slug" in refused.value.extra["problems"][0]
    assert [file.name for file in folder.glob("*.toml")] == ["acme.toml"]


def test_a_text_without_end_is_not_even_read() -> None:
    with pytest.raises(InvalidRequest, match="at most"):
        prepare_own_provider("acme", "#" * 200_001)


@pytest.mark.parametrize("text", MOVES)
def test_nothing_moves_while_a_connection_would_follow(globex: Tenant, text: str) -> None:
    make_connection(make_app(), globex, "alice")
    with pytest.raises(InvalidRequest, match="1 connection"):
        prepare_own_provider("acme", text)
    save("acme", STAYS)
    Connection.objects.update(status=Status.DISCONNECTED, reason=Reason.DISCONNECTED_BY_REQUEST)
    with pytest.raises(InvalidRequest, match="1 connection"):
        prepare_own_provider("acme", text)  # until the revocation is done, its secrets are still there


@pytest.mark.parametrize("text", MOVES)
def test_a_move_destroys_the_client_secrets_that_were_entered_for_the_old_address(globex: Tenant, text: str) -> None:
    shared, own = make_app(), make_app(tenant=globex)
    assert prepare_own_provider("acme", STAYS).forgets == 0
    prepared = prepare_own_provider("acme", text)
    assert prepared.forgets == 2
    store_own_provider(prepared, actor=OLGA)
    for app in (shared, own):
        app.refresh_from_db()
        assert app.secrets is None
    told = AuditEvent.objects.filter(action="provider_app.secrets_forgotten").values_list("tenant_id", "operator")
    assert set(told) == {(None, "olga"), (globex.id, "olga")}


def test_a_change_that_moves_nothing_leaves_them() -> None:
    app = make_app()
    save("acme", STAYS)
    app.refresh_from_db()
    assert app.secrets is not None


def test_keys_that_would_sign_for_another_server_hold_a_move_back() -> None:
    make_key(make_app(), SigningAlgorithm.ES256, actor=SYSTEM)
    with pytest.raises(InvalidRequest, match="1 key"):
        prepare_own_provider("acme", MOVES[2])


def test_a_connection_made_meanwhile_holds_it_back_too(globex: Tenant) -> None:
    app = make_app()
    prepared = prepare_own_provider("acme", MOVES[2])
    make_connection(app, globex, "alice")
    with pytest.raises(InvalidRequest, match="meanwhile"):
        store_own_provider(prepared, actor=OLGA)
    app.refresh_from_db()
    assert app.secrets is not None
    assert entry("acme").probe == load_entry(own_file("acme")).probe


def test_taking_an_entry_out_and_putting_another_in_moves_as_well(globex: Tenant) -> None:
    make_connection(make_app(), globex, "alice")
    own_file("acme").unlink()  # somebody with a shell
    configure_catalog(own_file("acme").parent)
    with pytest.raises(InvalidRequest, match="the entry"):
        prepare_own_provider("acme", ACME)


def test_an_entry_in_the_place_of_a_built_in_one_moves_what_uses_that(globex: Tenant) -> None:
    text = ACME.replace("Acme", "HubSpot")
    assert prepare_own_provider("hubspot", text).hides_built_in
    assert not prepare_own_provider("hubspot", text).moves, "nothing uses it yet"
    make_connection(make_app("hubspot"), globex, "alice")
    with pytest.raises(InvalidRequest, match="elsewhere"):
        prepare_own_provider("hubspot", text)


def test_a_further_name_does_not_catch_what_a_lost_entry_left(globex: Tenant) -> None:
    make_connection(make_app(), globex, "alice")
    own_file("acme").unlink()
    configure_catalog(own_file("acme").parent)
    catching = 'aliases = { acme = "authorization_code" }\n' + ACME.replace("Acme", "Evil")
    with pytest.raises(InvalidRequest, match="elsewhere"):
        prepare_own_provider("evil", catching)


def test_it_is_removed_only_when_nothing_uses_it(globex: Tenant) -> None:
    app = make_app()
    with pytest.raises(InvalidRequest, match="1 provider app"):
        remove_own_provider("acme", actor=OLGA)
    app.forget_secrets()
    ProviderApp.objects.update(suspended_at=app.created_at)
    assert uses_of("acme") == Uses()
    remove_own_provider("acme", actor=OLGA)
    assert not own_file("acme").exists()
    assert AuditEvent.objects.filter(action="own_provider.removed", operator="olga").count() == 1
    with pytest.raises(InvalidRequest, match="no entry"):
        remove_own_provider("acme", actor=OLGA)


@pytest.mark.parametrize("slug", ["hubspot", "nope", "../../etc/passwd", ""])
def test_only_an_own_entry_can_be_removed(slug: str) -> None:
    with pytest.raises(InvalidRequest, match="no entry"):
        remove_own_provider(slug, actor=OLGA)
    assert entry("hubspot").name == "HubSpot"


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_audited() -> None:
    before = AuditEvent.objects.count()
    file = own_file("acme").parent / "no-folder"
    file.write_text("", encoding="utf-8")
    with override_settings(CATALOG_DIR=file), pytest.raises(InvalidRequest, match="LATCHKEY_CATALOG_DIR"):
        save("other", ACME)
    assert AuditEvent.objects.count() == before


def test_of_two_that_were_prepared_from_the_same_file_one_is_stored() -> None:
    store_own_provider(prepare_own_provider("globex", ACME), actor=OLGA)
    one, other = prepare_own_provider("globex", STAYS), prepare_own_provider("globex", f"# Mine.\n{ACME}")
    store_own_provider(one, actor=OLGA)
    with pytest.raises(InvalidRequest, match="changed meanwhile"):
        store_own_provider(other, actor=OLGA)
    assert own_file("globex").read_text(encoding="utf-8") == STAYS
    assert AuditEvent.objects.filter(action="own_provider.changed").count() == 1


def test_of_two_new_ones_by_one_name_the_first_is_stored() -> None:
    one, other = prepare_own_provider("globex", ACME), prepare_own_provider("globex", STAYS)
    store_own_provider(one, actor=OLGA)
    with pytest.raises(InvalidRequest, match="changed meanwhile"):
        store_own_provider(other, actor=OLGA)
    assert own_file("globex").read_text(encoding="utf-8") == ACME
