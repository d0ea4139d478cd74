"""``manage.py brands``."""

from pathlib import Path

from connections.models import AuditEvent, Brand
from tests.connections.management.conftest import Run
from tests.factories import make_tenant
from tests.pictures import SVG


def test_changing_a_brand_keeps_what_is_not_given(run: Run) -> None:
    make_tenant("acme")
    own_text = ("--own-text", "de.continue=Weiter", "--own-text", "de.back=Heim")
    first = run("brands", "set", "--tenant", "acme", "--accent", "#0F766E", "--radius", "4", *own_text)
    assert first.code == 0
    assert "Changed the brand of acme." in first.out
    ran = run("brands", "set", "--tenant", "acme", "--font", "serif", "--own-text", "de.back=", "--json")
    assert (ran.data["accent"], ran.data["radius"], ran.data["font"]) == ("#0f766e", 4, "serif")
    assert ran.data["texts"] == {"de": {"continue": "Weiter"}}
    assert run("brands", "set", "--tenant", "acme", "--radius", "", "--json").data["radius"] is None
    assert run("brands", "show", "--tenant", "acme", "--json").data["font"] == "serif"
    assert AuditEvent.objects.filter(action="brand.saved", operator__endswith="(command line)").count() == 3


def test_without_a_tenant_it_is_the_operator_s(run: Run) -> None:
    assert run("brands", "show", "--json").data["tenant"] is None
    ran = run("brands", "set", "--name", "Initech", "--dark-surface", "#101010")
    assert "Changed the operator's brand." in ran.out
    assert run("brands", "show", "--json").data["dark_surface"] == "#101010"
    assert Brand.objects.get(tenant=None).name == "Initech"


def test_pictures_come_from_files(run: Run, tmp_path: Path) -> None:
    make_tenant("acme")
    (tmp_path / "logo.svg").write_bytes(SVG)
    (tmp_path / "big.png").write_bytes(b"\x89PNG\r\n" + b"0" * 70_000)
    assert run("brands", "set", "--tenant", "acme", "--logo", tmp_path / "logo.svg").code == 0
    assert Brand.objects.get(tenant__slug="acme").logo_media_type == "image/svg+xml"
    assert "larger than 64 KiB" in run("brands", "set", "--tenant", "acme", "--logo", tmp_path / "big.png").err
    assert "cannot be read" in run("brands", "set", "--tenant", "acme", "--favicon", tmp_path / "none.png").err
    assert run("brands", "set", "--tenant", "acme", "--logo", "", "--json").data["has_logo"] is False


def test_what_is_wrong_ends_with_exit_code_1_and_says_why(run: Run) -> None:
    make_tenant("acme")
    for typed, why in (
        (("--accent", "#ffff00"), "would do"),
        (("--radius", "x"), "number of pixels"),
        (("--own-text", "de.warning=Fine"), "There is no text"),
        (("--name", "Acme"), "its own"),
    ):
        ran = run("brands", "set", "--tenant", "acme", *typed)
        assert (ran.code, why in ran.err) == (1, True), ran.err
    assert "There is no tenant" in run("brands", "show", "--tenant", "nobody").err
