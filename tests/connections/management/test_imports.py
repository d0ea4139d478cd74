"""``manage.py connections import``: a file in, a report out, and no secret in either what is printed or written."""

import json
from pathlib import Path
from typing import Any

import pytest

from connections.models import Connection, ProviderApp, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.port.importing import lines_of, minted
from tests.connections.management.conftest import Run


@pytest.fixture
def rows(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> list[dict[str, Any]]:
    return minted(sandbox, app, 2)


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_dry_run_shouts_and_stores_nothing(run: Run, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file = write(tmp_path / "export.jsonl", lines_of([*rows, {"provider": "nonsense", "end_user": "zoe"}]))
    ran = run("connections", "import", file, "--tenant", "acme", "--dry-run")
    assert ran.code == 1
    assert "THE COPY AT THE SOURCE IS DEAD" in ran.err
    assert "unknown_provider" in ran.err
    assert not Connection.objects.exists()


def test_a_csv_is_imported_and_its_report_names_no_secret(run: Run, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    lines = ["user;token;renew;seen", *(f"{r['end_user']};{r['access_token']};{r['refresh_token']};x" for r in rows)]
    file, report = write(tmp_path / "export.csv", "\r\n".join(lines).encode("utf-8-sig")), tmp_path / "report.jsonl"
    named = ["--column", "user=end_user", "--column", "token=access_token", "--column", "renew=refresh_token"]
    ran = run(
        "connections", "import", file, "--tenant", "acme", "--provider", "sandbox", *named, "--report", report, "--json"
    )
    assert ran.code == 0, ran.err
    assert ran.data["outcomes"] == {"refreshed_and_verified": 2}
    assert ran.data["ignored_columns"] == ["seen"]
    told = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(one["line"], one["code"]) for one in told] == [
        (2, "refreshed_and_verified"),
        (3, "refreshed_and_verified"),
    ]
    printed = ran.out + ran.err + report.read_text()
    assert not any(row["refresh_token"] in printed or row["access_token"] in printed for row in rows)
    again = run("connections", "import-report", ran.data["import"], "--json")
    assert again.data == ran.data


def test_what_nango_exports_is_imported(run: Run, rows: list[dict[str, Any]], app: ProviderApp, tmp_path: Path) -> None:
    export = [
        {
            "connection_id": f"c-{number}",
            "provider_config_key": "box-prod",
            "provider": "box-unheard-of",
            "connection_config": {},
            "end_user": {"id": row["end_user"], "organization": {"id": "org_1"}},
            "credentials": {
                "type": "OAUTH2",
                "access_token": row["access_token"],
                "refresh_token": row["refresh_token"],
                "raw": {"scope": row["scopes"]},
            },
        }
        for number, row in enumerate(rows)
    ]
    file = write(tmp_path / "nango.json", json.dumps({"connections": export}))
    maps = ["--map-provider", "box-prod=sandbox", "--map-tenant", "org_1=acme"]
    ran = run("connections", "import", file, "--format", "nango", *maps, "--json")
    assert ran.code == 0, ran.err
    assert set(Connection.objects.values_list("end_user", flat=True)) == {"user-0", "user-1"}


def test_standard_input_will_do(run: Run, rows: list[dict[str, Any]]) -> None:
    ran = run(
        "connections", "import", "-", "--format", "json", "--tenant", "acme", "--json", stdin=lines_of(rows).decode()
    )
    assert ran.data["outcomes"] == {"refreshed_and_verified": 2}


def test_a_file_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    ran = run("connections", "import", tmp_path / "missing.csv")
    assert (ran.code, "cannot be read" in ran.err) == (1, True)
    assert run("connections", "import-report", "nonsense").code == 1
