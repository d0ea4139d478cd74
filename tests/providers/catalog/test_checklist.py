"""What an operator is told to do before anybody can connect."""

from typing import Any

from providers.catalog.checklist import checklist_of
from providers.catalog.schema import CatalogEntry

CODE = "oauth2_authorization_code"
METHOD = {"authorization_url": "https://acme.example/a", "token_url": "https://acme.example/t"}


def acme(**said: Any) -> CatalogEntry:
    return CatalogEntry.model_validate({"slug": "acme", "name": "Acme", "authorization_code": METHOD, **said})


def test_it_goes_from_the_console_to_the_review() -> None:
    described = acme(
        registration={
            "console": "https://acme.example/developers",
            "steps": ["Switch on token rotation."],
            "review": "Acme reviews apps.",
        },
        scopes=[
            {"name": "read", "description": "Read all", "default": True},
            {"name": "write", "description": "Change all"},
        ],
        params=[
            {"name": "app_id", "label": "Application id", "scope": "app", "help": "On the app's page."},
            {"name": "version", "label": "Version", "scope": "app", "default": "v1"},
        ],
    )
    register, redirect, rotation, scopes, have_ready, review = checklist_of(described, CODE, redirect_uri="https://l/1")
    assert register.startswith("Register an app with Acme at https://acme.example/developers")
    assert redirect.endswith("https://l/1")
    assert rotation == "Switch on token rotation."
    assert "read" in scopes
    assert "write" not in scopes
    assert have_ready == "Have ready: Application id (On the app's page)."
    assert review == "Acme reviews apps."


def test_where_nobody_registers_there_is_nothing_to_do() -> None:
    described = acme(bearer_token={}, registration={"steps": ["Switch on token rotation."], "review": "Long."})
    assert checklist_of(described, "bearer_token") == ()
    assert checklist_of(described, "api_key") == ()


def test_a_long_list_of_scopes_is_cut() -> None:
    scopes = [{"name": f"s{number}", "description": "Read all", "default": True} for number in range(15)]
    (told,) = (step for step in checklist_of(acme(scopes=scopes), CODE) if "scopes" in step)
    assert told.endswith("s11 and 3 more.")
